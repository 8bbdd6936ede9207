// What the set-up tells people: on standard error, so that a command's own output stays clean.

/** An error of the set-up whose message is all that a person needs: no stack is shown for it. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Prints one line. */
export const say = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Milliseconds as people read them: 240 ms, 3.1 s, 2 min 5 s. */
export const duration = (ms) => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/**
 * Runs `work` and says so: a line at the start, one every ten seconds with what is reported, one at the end. On a
 * terminal it is one line, which counts the seconds.
 * @template T
 * @param {string} label
 * @param {(report: (detail: string) => void) => Promise<T>} work `report` sets what the next line adds
 * @returns {Promise<T>}
 */
export const withProgress = async (label, work) => {
  const start = performance.now();
  let detail = '';
  const line = () => `· ${label}: ${duration(performance.now() - start)}${detail && `, ${detail}`}`;
  const onTerminal = process.stderr.isTTY === true;
  const clear = () => {
    if (onTerminal) process.stderr.write('\r\u001b[K');
  };
  if (onTerminal) process.stderr.write(`· ${label} …`);
  else say(`· ${label} …`);
  const timer = setInterval(
    () => {
      clear();
      if (onTerminal) process.stderr.write(line());
      else say(line());
    },
    onTerminal ? 1000 : 10_000,
  );
  try {
    const result = await work((text) => {
      detail = text;
    });
    clear();
    say(`✓ ${label}: ${duration(performance.now() - start)}`);
    return result;
  } catch (error) {
    clear();
    say(`✗ ${label}: failed after ${duration(performance.now() - start)}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
};

/**
 * Runs a script's main function: its number is the exit code, a SetupError one line, anything else shows its stack.
 * @param {() => Promise<number>} main
 */
export const runMain = async (main) => {
  // A reader that has gone, such as head, takes nothing more: that is no failure of the command.
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    const code = await main();
    // A pipe takes 64 KB at once: what is still to be written would be lost.
    await new Promise((resolve) => process.stdout.write('', resolve));
    process.exit(code);
  } catch (error) {
    say(error instanceof SetupError ? `keel: ${error.message}` : String(error?.stack ?? error));
    process.exit(1);
  }
};
