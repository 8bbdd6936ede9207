// Installs node_modules from the lock file when they do not match it. Needs nothing but Node and npm.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { SetupError, withProgress } from './say.mjs';

const stampFile = path.join(root, 'node_modules', '.keel-lock');

/** @throws SetupError when this Node can not run Keel. */
export const checkNode = (version = process.versions.node) => {
  const [major, minor] = version.split('.').map(Number);
  if (major > 24 || major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(
      `Node.js ${version} can not run Keel: it needs 20.19 or later, up to 24. Install Node.js 22 or 24 and start again.`,
    );
  }
};

/** What node_modules have to match: the lock, and the platform that native parts are made for. */
const wantedStamp = (lock) =>
  [
    createHash('sha256').update(lock).digest('hex'),
    `node ${process.versions.node.split('.')[0]}`,
    `${process.platform} ${process.arch}`,
  ].join('\n');

/**
 * Whether npm's own record says that the lock is installed, so that whoever ran `npm ci` himself need not wait again.
 * Packages for other platforms may be absent.
 */
export const isInstalled = (lockText, recordText) => {
  const wanted = JSON.parse(lockText).packages ?? {};
  const found = JSON.parse(recordText).packages ?? {};
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === '' || !place.startsWith('node_modules/')) return true;
    const there = found[place];
    if (there === undefined) return entry.optional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
};

const readOrNull = (file) => readFile(file, 'utf8').catch(() => null);

const matches = async (lock) => {
  const stamp = await readOrNull(stampFile);
  if (stamp === wantedStamp(lock)) return true;
  if (stamp !== null && stamp.split('\n').slice(1).join() !== wantedStamp(lock).split('\n').slice(1).join())
    return false;
  const record = await readOrNull(path.join(root, 'node_modules', '.package-lock.json'));
  if (record === null || !isInstalled(lock, record)) return false;
  await writeFile(stampFile, wantedStamp(lock));
  return true;
};

const install = async (lock) => {
  // Under `npm start` the same npm is used; else the one on PATH. NODE_ENV=production would leave the compiler out.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const result = await run(
    npm[0],
    [...npm.slice(1), 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, timeoutMs: 15 * 60_000 },
  );
  if (result.code === 0) {
    await writeFile(stampFile, wantedStamp(lock));
    return;
  }
  const cause = result.timedOut
    ? 'it took more than 15 minutes'
    : result.output.split('\n').slice(0, 12).join('\n');
  throw new SetupError(
    `npm ci failed: ${cause}\nCheck that the package registry can be reached and that ${root} can be written, then start again.`,
  );
};

/** Makes node_modules match package-lock.json. A match is seen in a few milliseconds. */
export const ensureDependencies = async () => {
  checkNode();
  const lock = await readOrNull(path.join(root, 'package-lock.json'));
  if (lock === null) throw new SetupError(`no package-lock.json in ${root}: the checkout is not complete.`);
  if (await matches(lock)) return;
  await withLock(path.join(root, 'dist', '.lock-dependencies'), 'npm ci', async () => {
    if (await matches(lock)) return;
    await withProgress('installing the dependencies (npm ci)', () => install(lock));
  });
};
