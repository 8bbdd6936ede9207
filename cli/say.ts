// How the command line speaks: durations, instants and columns for people. Used by the supervisor and the commands.

/** Takes one line of text, without its end. */
export type Say = (line: string) => void;

/** Milliseconds as people read them: `240 ms`, `3.1 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

/** `2014-07-08 13:35 UTC` of an ISO 8601 instant. */
export const minute = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;

/** `08:31:02.120` of an ISO 8601 instant, UTC. */
export const timeOfDay = (instant: string): string => instant.slice(11, 23);

/** Writes lines to a stream. A reader that has gone away is no error of ours. */
export function sayTo(stream: NodeJS.WritableStream): Say {
  stream.on('error', () => undefined);
  return (line) => {
    stream.write(`${line}\n`);
  };
}

/** Text in lines of at most `width`, broken at spaces, each with the indent before it. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines.map((each) => `${indent}${each}`).join('\n');
}
