// Temporal's own lines in the worker's log. Used by observe.ts and the benchmark.
import { DefaultLogger, type LogLevel } from '@temporalio/worker';
import type { Logger } from 'pino';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** @param level of the configuration, in pino's words */
export function temporalLogger(log: Logger, level: string): DefaultLogger {
  const threshold: LogLevel = level === 'debug' ? 'DEBUG' : level === 'info' ? 'INFO' : 'WARN';
  return new DefaultLogger(threshold, ({ level: at, message, meta }) => {
    log[levels[at]](meta ?? {}, message);
  });
}
