// docs/simulator-faults.md names every kind of fault, with what it acts on and how long it lasts when nobody says so.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createFaults, faultKinds } from '../simulator/faults.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../docs/simulator-faults.md'), 'utf8');

test('the table of faults is that of the simulator', () => {
  const rows = page
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(
      ([, kind = '', on = '', , what]) => /^`[a-z0-9-]+`$/.test(kind) && on !== '' && what !== undefined,
    );
  const faults = createFaults();
  expect(rows.map(([, kind, on, lasts]) => [kind, on, lasts])).toEqual(
    faultKinds.map((kind) => {
      const { on, ms } = faults.add({ kind });
      return [`\`${kind}\``, on, ms === null ? '' : `${String(ms)} ms`];
    }),
  );
});
