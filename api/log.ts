// The API's log: JSON lines, with secrets removed wherever one could slip in. Made by api/main.ts.
import type { DestinationStream, Logger } from 'pino';
import pino from 'pino';

const secret = ['authorization', 'cookie', 'set-cookie', 'password', 'apiKey', 'secretKey', 'accessKey'];

/** At the top, and one to three levels below it. */
const redacted = ['', '*.', '*.*.', '*.*.*.'].flatMap((prefix) =>
  secret.map((name) => (name.includes('-') ? `${prefix.slice(0, -1)}["${name}"]` : prefix + name)),
);

/** Passwords in URLs, as drivers like to put them into their errors. Quotes end a text of the JSON line. */
const withoutPasswords = (line: string): string =>
  line.replace(/(\w+:\/\/[^\s:/@"]*):[^\s/@"]*@/g, '$1:***@');

/** @param level of the configuration; `destination` is where lines go, standard error in the process */
export function createLog(level: string, destination: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: '[redacted]' },
  };
  const write = (line: string): void => {
    destination.write(withoutPasswords(line));
  };
  return pino(options, { write });
}
