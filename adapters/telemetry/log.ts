// The log of a process: JSON lines, with secrets removed wherever one could slip in. Made by the composition roots.
import type { DestinationStream, Logger } from 'pino';
import pino from 'pino';
import type { Redact } from '../../domain/redaction/redact.js';
import { createRedact } from '../../domain/redaction/redact.js';

const secret = ['authorization', 'cookie', 'set-cookie', 'password', 'apiKey', 'secretKey', 'accessKey'];

/** At the top, and one to three levels below it. */
const redacted = ['', '*.', '*.*.', '*.*.*.'].flatMap((prefix) =>
  secret.map((name) => (name.includes('-') ? `${prefix.slice(0, -1)}["${name}"]` : prefix + name)),
);

/**
 * @param level of the configuration; `destination` is where lines go, standard error in the process
 * @param redact knows the secrets of this process by value; only what looks like one is found without it
 */
export function createLog(
  level: string,
  destination: DestinationStream,
  redact: Redact = createRedact(),
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: '[redacted]' },
  };
  const write = (line: string): void => {
    destination.write(redact(line));
  };
  return pino(options, { write });
}
