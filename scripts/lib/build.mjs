// Compiles TypeScript to dist/, copies what is not TypeScript beside it and prebundles the workflows.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { bin, root } from './paths.mjs';
import { run } from './run.mjs';
import { SetupError, withProgress } from './say.mjs';
import { buildInputs, contentPrint, quickPrint, walk } from './sources.mjs';

const dist = path.join(root, 'dist');
const stampFile = path.join(dist, '.keel-build');
const compiledName = (source) => `dist/${source.replace(/\.ts$/, '.js')}`;
const bundleName = 'dist/workflows/bundle.js';

const readStamp = async () => {
  try {
    return JSON.parse(await readFile(stampFile, 'utf8'));
  } catch {
    return {};
  }
};

const outputsOf = (inputs) => [
  ...inputs.typescript.map(compiledName),
  ...inputs.assets.map((name) => `dist/${name}`),
];

/** Whether dist/ holds what the sources say. Reads contents only when a file's time or size has changed. */
const isCurrent = async (inputs) => {
  const files = [...inputs.typescript, ...inputs.assets, ...inputs.settings];
  const stamp = await readStamp();
  if (!outputsOf(inputs).every((name) => existsSync(path.join(root, name)))) return false;
  if (inputs.typescript.includes('workflows/index.ts') && !existsSync(path.join(root, bundleName)))
    return false;
  const quick = quickPrint(files);
  if (stamp.quick === quick) return true;
  if (stamp.content !== contentPrint(files)) return false;
  await writeFile(stampFile, JSON.stringify({ ...stamp, quick }));
  return true;
};

const compile = async (inputs) => {
  // tsc trusts its record: when an output was deleted by hand, the record has to go too.
  if (!inputs.typescript.every((name) => existsSync(path.join(root, compiledName(name))))) {
    await rm(path.join(dist, '.tsbuildinfo'), { force: true });
  }
  const result = await run(bin('tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, timeoutMs: 10 * 60_000 });
  if (result.code !== 0) throw new SetupError(`TypeScript does not compile:\n${result.output}`);
};

const sameFile = async (from, to) => {
  const [a, b] = await Promise.all([stat(from), stat(to).catch(() => null)]);
  return b !== null && a.size === b.size && (await readFile(from)).equals(await readFile(to));
};

const copyAssets = async (assets) => {
  for (const name of assets) {
    const [from, to] = [path.join(root, name), path.join(dist, name)];
    if (await sameFile(from, to)) continue;
    await mkdir(path.dirname(to), { recursive: true });
    await copyFile(from, to);
  }
};

/** Removes what an older checkout has left in dist/: a deleted module must not be importable any more. */
const sweep = async (inputs) => {
  const wanted = new Set([...outputsOf(inputs), bundleName]);
  for (const name of walk('dist', new Set())) {
    if (path.basename(name).startsWith('.')) continue;
    if (wanted.has(name.replace(/\.map$/, ''))) continue;
    await rm(path.join(root, name), { force: true });
  }
};

const bundle = async () => {
  const target = path.join(root, bundleName);
  const result = await run(
    process.execPath,
    [path.join(root, 'scripts', 'lib', 'bundle.mjs'), path.join(dist, 'workflows', 'index.js'), target],
    { cwd: root, timeoutMs: 5 * 60_000 },
  );
  if (result.code !== 0) throw new SetupError(`the workflow bundle does not build:\n${result.output}`);
};

const build = async () => {
  const inputs = buildInputs();
  const files = [...inputs.typescript, ...inputs.assets, ...inputs.settings];
  // Taken before the work: a file changed meanwhile makes the next start build again.
  const stamp = { quick: quickPrint(files), content: contentPrint(files) };
  await rm(stampFile, { force: true });
  await compile(inputs);
  await copyAssets(inputs.assets);
  await sweep(inputs);
  if (inputs.typescript.includes('workflows/index.ts')) await bundle();
  await writeFile(stampFile, JSON.stringify(stamp));
};

/** Makes dist/ current; returns at once when it is. Two processes may call it at the same time. */
export const ensureBuild = async () => {
  if (await isCurrent(buildInputs())) return;
  await withLock(path.join(dist, '.lock-build'), 'building dist/', async () => {
    if (await isCurrent(buildInputs())) return;
    await withProgress('building dist/ (TypeScript, workflow bundle)', build);
  });
};
