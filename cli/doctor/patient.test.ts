import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTimeOf } from '../supervisor/processTable.js';
import { writeState } from '../supervisor/state.js';
import { checkConfig } from './machine.js';
import { readPatient } from './patient.js';

const dataDir = mkdtempSync(join(tmpdir(), 'keel-patient-'));
afterAll(() => {
  rmSync(dataDir, { recursive: true });
});

const facts = { now: () => 0, nodeVersion: '20.19.0' };

describe('a Keel that runs on the data directory', () => {
  it('is judged by its own settings, not by those of the shell that asks', () => {
    const shell = { KEEL_DATA_DIR: dataDir, KEEL_NOTIFIER_PRIVATE_ADDRESSES: 'refused' };
    expect(readPatient(shell, facts).sections.notifier?.privateAddresses).toBe('refused');
    const state = {
      ...{ pid: process.pid, startTime: startTimeOf(process.pid), accountId: 'DU1' },
      mode: 'paper',
      ...{ apiUrl: 'http://127.0.0.1:1', apiKey: 'k', databaseUrl: 'postgres://127.0.0.1:1/keel' },
      ...{ databaseDir: null, objectDir: null, simulator: null },
      temporal: { address: '127.0.0.1:1', namespace: 'default', uiUrl: '' },
    } as const;
    writeState(dataDir, { ...state, privateAddresses: 'allowed' });
    expect(readPatient(shell, facts).sections.notifier?.privateAddresses).toBe('allowed');
    writeState(dataDir, state);
    expect(readPatient(shell, facts).sections.notifier?.privateAddresses).toBe('refused');
    expect(checkConfig(readPatient(shell, facts))[0]).toMatchObject({
      status: 'fault',
      found: 'the Keel that runs here is in paper mode, and this environment says simulated',
    });
  });
});
