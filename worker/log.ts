// The worker's log: JSON lines on standard error, Temporal's own lines included.
import { DefaultLogger, type LogLevel } from '@temporalio/worker';
import { pino } from 'pino';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** @param level of the configuration, in pino's words */
export function temporalLogger(level: string): DefaultLogger {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  const threshold: LogLevel = level === 'debug' ? 'DEBUG' : level === 'info' ? 'INFO' : 'WARN';
  return new DefaultLogger(threshold, ({ level: at, message, meta }) => {
    log[levels[at]](meta ?? {}, message);
  });
}
