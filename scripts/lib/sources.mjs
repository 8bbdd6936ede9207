// Which files the build reads, and their fingerprints. Used by build.mjs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { layers, root } from './paths.mjs';

/** And the scripts that make committed data again. */
const compiled = [...layers, 'scripts'];
const settings = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/lib/build.mjs',
  'scripts/lib/bundle.mjs',
  'scripts/lib/sources.mjs',
];

/** Folders whose files are no part of the running program. */
const leftOut = new Set(['goldens', 'histories', 'canvas-shim', 'node_modules', '__pycache__']);
const notAssets = /\.(ts|mts|mjs|py|md|sh|tsbuildinfo)$/;

/** Every file below a folder, as paths relative to the checkout with forward slashes. */
export const walk = (folder, skip = leftOut) => {
  let entries;
  try {
    entries = readdirSync(path.join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skip.has(entry.name) ? [] : walk(name, skip);
    return entry.isFile() ? [name] : [];
  });
};

/** @returns {{ typescript: string[], assets: string[], settings: string[] }} what goes into dist/ */
export const buildInputs = () => {
  const files = compiled.flatMap((folder) => walk(folder));
  return {
    typescript: files.filter((name) => /\.ts$/.test(name) && !/\.(test|d)\.ts$/.test(name)),
    assets: files.filter((name) => !notAssets.test(name)),
    settings,
  };
};

/** Changes with any file's size or time of change: cheap, and enough to see that nothing was touched. */
export const quickPrint = (files) => {
  const hash = createHash('sha256').update(process.version);
  for (const name of files) {
    const stat = statSync(path.join(root, name), { throwIfNoEntry: false });
    hash.update(`${name} ${stat?.size} ${stat?.mtimeMs}\n`);
  }
  return hash.digest('hex');
};

/** Changes with any file's content. */
export const contentPrint = (files) => {
  const hash = createHash('sha256').update(process.version);
  for (const name of files) {
    const full = path.join(root, name);
    if (!statSync(full, { throwIfNoEntry: false })) continue;
    const bytes = readFileSync(full);
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
};
