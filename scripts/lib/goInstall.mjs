// Builds a server from its published Go module into the cache. Used by temporal.mjs and s3.mjs.
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { onPath, tryVersion } from './executables.mjs';
import { run, tail } from './run.mjs';
import { withProgress } from './say.mjs';

/** From this version on, Go fetches by itself the newer Go that a module asks for. */
const minimumGo = [1, 21];

/** What is wrong with the Go of this machine, or null. */
export const goProblem = async () => {
  const go = onPath('go');
  if (go === null) return 'no Go compiler on PATH';
  const { output } = await run(go, ['env', 'GOVERSION'], { timeoutMs: 30_000, env: goEnvironment('') });
  const version = /go(\d+)\.(\d+)/.exec(output);
  if (version === null) return `${go} does not tell its version`;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major > minimumGo[0] || minor >= minimumGo[1]) return null;
  return `Go ${major}.${minor} on PATH is too old (1.21 or later is needed)`;
};

const goEnvironment = (gobin) => {
  const env = { ...process.env, HOME: process.env.HOME || homedir(), GOFLAGS: '' };
  delete env.GOARCH;
  delete env.GOOS;
  return gobin === '' ? env : { ...env, GOBIN: gobin };
};

/**
 * @param {{ module: string, name: string, target: string, what: string, timeoutMs: number }} options
 *   `module` with its version; `name` of the executable; `target` where it goes, by one atomic rename
 * @returns {Promise<string | null>} what went wrong, or null
 */
export const goInstall = async ({ module, name, target, what, timeoutMs }) => {
  const problem = await goProblem();
  if (problem !== null) return problem;
  await mkdir(path.dirname(target), { recursive: true });
  const gobin = await mkdtemp(path.join(path.dirname(target), '.building-'));
  try {
    return await withProgress(
      `${what}: built from ${module}, once for this user (some minutes)`,
      async (report) => {
        const counts = { downloaded: 0, compiled: 0 };
        const result = await run('go', ['install', '-v', module], {
          env: goEnvironment(gobin),
          cwd: gobin,
          timeoutMs,
          onLine: (line) => {
            if (line.startsWith('go: downloading')) counts.downloaded += 1;
            else if (!line.startsWith('go: ')) counts.compiled += 1;
            report(`${counts.downloaded} modules downloaded, ${counts.compiled} packages compiled`);
          },
        });
        if (result.timedOut) throw new Error(`not done after ${Math.round(timeoutMs / 60_000)} minutes`);
        if (result.code !== 0) throw new Error(tail(result.output, 5));
        const broken = await tryVersion(path.join(gobin, name));
        if (broken !== null) throw new Error(`the result does not run: ${broken}`);
        await rename(path.join(gobin, name), target);
        return null;
      },
    );
  } catch (error) {
    return `go install ${module}: ${error.message}`;
  } finally {
    await rm(gobin, { recursive: true, force: true });
  }
};
