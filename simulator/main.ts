// The simulator's process: reads the configuration, starts, prints one JSON line on stdout when it listens, and stops on
// SIGTERM or SIGINT. Started by the supervisor, `keel simulator` and tests.
import { loadConfig } from '../config/load.js';
import { KeelError } from '../ports/errors.js';
import { startSimulator } from './server.js';

const describe = (error: unknown): string => {
  const code = error instanceof KeelError ? `${error.code}: ` : '';
  return `simulator: ${code}${error instanceof Error ? error.message : String(error)}\n`;
};

async function main(): Promise<void> {
  const { simulator: settings } = loadConfig(undefined, { need: ['simulator'] });
  let stopping = false;
  const simulator = await startSimulator({
    ...settings,
    clock: { now: () => Date.now() },
    onError: (error, fatal) => {
      process.stderr.write(describe(error));
      if (fatal) stop(1);
    },
  });
  function stop(code: number): void {
    if (stopping) return;
    stopping = true;
    process.exitCode = code;
    simulator.close().catch((error: unknown) => {
      process.stderr.write(describe(error));
      process.exitCode = 1;
    });
  }
  process.on('SIGTERM', () => {
    stop(0);
  });
  process.on('SIGINT', () => {
    stop(0);
  });
  const { baseUrl, adminUrl, apiUrl, caFile, certSha256, ledgerFile, ledgerCutBytes } = simulator;
  const ready = { ready: true, baseUrl, adminUrl, apiUrl, caFile, certSha256, ledgerFile, ledgerCutBytes };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(describe(error));
  process.exitCode = 1;
});
