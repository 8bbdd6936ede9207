// Folders that are gone when the test process ends, for every test that needs files.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folders = new Set<string>();

const removeAll = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
};

/** Makes an empty folder; it is removed by `remove()`, or at the latest when this process exits. */
export const tempFolder = (purpose: string): { path: string; remove: () => void } => {
  const folder = mkdtempSync(path.join(tmpdir(), `keel-${purpose}-`));
  if (folders.size === 0) process.once('exit', removeAll);
  folders.add(folder);
  return {
    path: folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
