// Progress of long work, on standard error: a bar where a terminal is, plain lines where none is. Made by cli/main.ts for
// the commands that copy, delete or ask many things.
import type { Say } from './say.js';
import { duration, sayTo } from './say.js';

/** Of one piece of work. Called as often as there is news; it decides what is shown. */
export type Progress = (done: number, of: number) => void;

/** @param title what is counted, such as "objects" @returns how far it is, each time */
export type ShowProgress = (title: string) => Progress;

/** For callers that nobody watches. */
export const noProgress: ShowProgress = () => () => undefined;

/** Fewer are done before anybody asks. */
const worthALine = 20;
const quarters = 4;

/** A line for each quarter, so that a log stays short however much there is to do. */
export const plainProgress =
  (say: Say): ShowProgress =>
  (title) => {
    let told = 0;
    return (done, of) => {
      const quarter = of < worthALine ? 0 : Math.floor((done * quarters) / of);
      if (quarter <= told) return;
      told = quarter;
      say(`${title}: ${String(done)} of ${String(of)}`);
    };
  };

const width = 24;
const redrawMs = 100;
/** Takes away what stands in the line. */
const clearLine = '\r\u001b[K';

/**
 * A bar that is drawn over itself and is gone once the work is done.
 * @param terminal where it is drawn @param now milliseconds
 */
export const barProgress =
  (terminal: { write(text: string): unknown }, now: () => number): ShowProgress =>
  (title) => {
    // From the first news on: what was prepared before it says nothing of how fast it goes.
    let begun: { readonly at: number; readonly done: number } | null = null;
    let drawnAt = -Infinity;
    return (done, of) => {
      begun ??= { at: now(), done };
      if (done >= of) {
        if (drawnAt > -Infinity) terminal.write(clearLine);
        return;
      }
      if (now() - drawnAt < redrawMs) return;
      drawnAt = now();
      const full = Math.floor((done * width) / of);
      const eachMs = (drawnAt - begun.at) / (done - begun.done);
      const left = done === begun.done ? '' : `, ${duration(eachMs * (of - done))} left`;
      const bar = `${'█'.repeat(full)}${'·'.repeat(width - full)}`;
      terminal.write(`${clearLine}${title} [${bar}] ${String(done)} of ${String(of)}${left}`);
    };
  };

/** On a terminal a bar may stand in the line that is written to next. */
export function onStandardError(): { readonly err: Say; readonly progress: ShowProgress } {
  const { stderr } = process;
  const say = sayTo(stderr);
  if (!stderr.isTTY) return { err: say, progress: plainProgress(say) };
  return {
    err: (line) => {
      say(`${clearLine}${line}`);
    },
    progress: barProgress(stderr, () => performance.now()),
  };
}
