// Times a whole `npm start -- --once` that finds its data directory made by an earlier one. Called by the runner.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json; this file runs from dist/bench. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** @returns wall milliseconds of the second start, npm included */
export async function benchWarmStart(): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'keel-bench-start-'));
  chmodSync(dataDir, 0o755);
  try {
    await start(dataDir);
    return await start(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function start(dataDir: string): Promise<number> {
  const began = performance.now();
  const args = ['start', '--', '--once', '--data-dir', dataDir];
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (text: Buffer): void => {
    said += text.toString('utf8');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return performance.now() - began;
  throw new Error(
    `npm start -- --once ended with ${String(code)}:\n${said.split('\n').slice(-15).join('\n')}`,
  );
}
