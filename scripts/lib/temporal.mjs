// Finds or makes the Temporal CLI, whose dev server is Keel's embedded default. The order is ARCHITECTURE.md's.
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isExecutable, onPath, tryVersion } from './executables.mjs';
import { goInstall } from './goInstall.mjs';
import { withLock } from './lock.mjs';
import { cacheDir, root } from './paths.mjs';
import { run, tail } from './run.mjs';
import { say, SetupError, withProgress } from './say.mjs';

const version = '1.5.1';
const module = `github.com/temporalio/cli/cmd/temporal@v${version}`;

/** Where the CLI is kept once it was downloaded or built. */
const cachedCli = (env) => path.join(cacheDir(env), `temporal-${version}`, 'temporal');

/** Lets the SDK download the CLI; what it leaves goes to `target`. Answers what went wrong, or null. */
const sdkDownload = async (target) => {
  await mkdir(path.dirname(target), { recursive: true });
  const folder = await mkdtemp(path.join(path.dirname(target), '.downloading-'));
  try {
    return await withProgress(`Temporal CLI ${version}: downloading, once for this user`, async () => {
      const script = path.join(root, 'scripts', 'lib', 'downloadTemporal.mjs');
      const result = await run(process.execPath, [script, folder, `v${version}`], {
        cwd: root,
        timeoutMs: 45_000,
      });
      if (result.timedOut) throw new Error('not done after 45 s');
      // The SDK tells the whole chain of causes, with the address in each: the last one says why.
      if (result.code !== 0) throw new Error(tail(result.output, 1).split('): ').at(-1));
      const names = await readdir(folder);
      const found = names.map((name) => path.join(folder, name)).find(isExecutable);
      if (found === undefined) throw new Error('nothing executable came');
      const broken = await tryVersion(found);
      if (broken !== null) throw new Error(`the result does not run: ${broken}`);
      await rename(found, target);
      return null;
    });
  } catch (error) {
    return `download by the Temporal SDK: ${error.message}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const make = async (target) => {
  const problems = [];
  for (const road of [
    () => sdkDownload(target),
    () => {
      say(`· ${problems.join()}; now by Go`);
      return goInstall({
        module,
        name: 'temporal',
        target,
        what: `Temporal CLI ${version}`,
        timeoutMs: 25 * 60_000,
      });
    },
  ]) {
    const problem = await road();
    if (problem === null) return;
    problems.push(problem);
  }
  throw new SetupError(
    [
      'no Temporal server: there is no CLI for its dev server, and none could be made.',
      ...problems.map((problem) => `  - ${problem}`),
      'Do one of these and start again:',
      '  - set TEMPORAL_ADDRESS to a running Temporal server (host:port);',
      '  - set TEMPORAL_CLI_PATH to a `temporal` executable, or put one on PATH;',
      '  - install Go 1.21 or later, from which the CLI is built;',
      '  - give this machine access to temporal.download.',
    ].join('\n'),
  );
};

/**
 * The Temporal CLI: TEMPORAL_CLI_PATH, `temporal` on PATH, the cached one, the SDK's download, `go install`.
 * @param {{ env?: NodeJS.ProcessEnv, evenWithAddress?: boolean }} [options] `evenWithAddress`: tests stop and start
 *   servers of their own, so they need the CLI although TEMPORAL_ADDRESS is set
 * @returns {Promise<string | null>} its path; null when TEMPORAL_ADDRESS makes it unnecessary
 * @throws SetupError that names the choices
 */
export const ensureTemporal = async ({ env = process.env, evenWithAddress = false } = {}) => {
  if (env.TEMPORAL_ADDRESS && !evenWithAddress) return null;
  const given = env.TEMPORAL_CLI_PATH;
  if (given) {
    const problem = await tryVersion(given);
    if (problem !== null) {
      throw new SetupError(
        `TEMPORAL_CLI_PATH is ${given}, which does not run: ${problem}. Correct or unset it.`,
      );
    }
    return path.resolve(given);
  }
  const cached = cachedCli(env);
  for (const candidate of [onPath('temporal', env), cached]) {
    if (candidate !== null && (await tryVersion(candidate)) === null) return candidate;
  }
  await withLock(path.join(cacheDir(env), '.lock-temporal'), 'fetching the Temporal CLI', async () => {
    if ((await tryVersion(cached)) !== null) await make(cached);
  });
  return cached;
};
