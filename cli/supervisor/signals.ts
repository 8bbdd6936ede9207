// Ctrl-C and its relatives. The first asks for an orderly stop, a later one ends everything at once. Called by main.ts.

export interface Signals {
  /** Aborts at the first signal, or when the supervisor stops by itself. */
  readonly aborted: AbortSignal;
  /** Rejects at the first signal or uncaught error; never resolves. */
  readonly interrupted: Promise<never>;
  /** 128 + the signal's number, or 1 after an error that nobody caught; null before. */
  exitCode(): number | null;
  /** Tells everybody that waits on `aborted` to end. */
  stop(): void;
  /** Gives the signals back to Node. */
  close(): void;
}

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** npm sends on what the terminal has sent already: what comes within this time is the same Ctrl-C. */
const sameMs = 1000;

/** @param onSecond called when a person insists */
export function watchSignals(onSecond: () => void): Signals {
  const controller = new AbortController();
  let code: number | null = null;
  let first = 0;
  let reject: (error: Error) => void = () => undefined;
  const interrupted = new Promise<never>((_resolve, refuse) => {
    reject = refuse;
  });
  interrupted.catch(() => undefined);
  const onSignal = (signal: NodeJS.Signals): void => {
    if (code === null) {
      code = 128 + numbers[signal as keyof typeof numbers];
      first = performance.now();
      controller.abort();
      reject(new Error(`interrupted by ${signal}`));
      return;
    }
    if (performance.now() - first > sameMs) onSecond();
  };
  const onError = (error: unknown): void => {
    process.stderr.write(
      `keel: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    code ??= 1;
    controller.abort();
    reject(error instanceof Error ? error : new Error(String(error)));
  };
  for (const name of Object.keys(numbers)) process.on(name, onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return {
    aborted: controller.signal,
    interrupted,
    exitCode: () => code,
    stop: () => {
      controller.abort();
    },
    close: () => {
      for (const name of Object.keys(numbers)) process.off(name, onSignal);
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
    },
  };
}
