import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tempFolder } from '../../tests/support/temp.js';
import { startTimeOf } from '../supervisor/processTable.js';
import { writeState } from '../supervisor/state.js';
import { simulatorCommand } from './simulator.js';

const { path: dataDir, remove } = tempFolder('simulator-command');
const servers: Server[] = [];
/** Whom each of the two was asked by, by its token. */
const asked: { readonly name: string; readonly authorization: string | undefined }[] = [];
let ofKeel: string;
let own: string;

async function startAdmin(name: string): Promise<string> {
  const server = createServer((request, response) => {
    asked.push({ name, authorization: request.headers.authorization });
    response.end(JSON.stringify({ name }));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

beforeAll(async () => {
  [ofKeel, own] = await Promise.all([startAdmin('of the Keel'), startAdmin('own')]);
  writeState(dataDir, {
    ...{ pid: process.pid, startTime: startTimeOf(process.pid), mode: 'simulated', accountId: 'DU1' },
    ...{ apiUrl: 'http://127.0.0.1:1', apiKey: 'k', databaseUrl: 'postgres://127.0.0.1:1/keel' },
    ...{ databaseDir: null, objectDir: null },
    temporal: { address: '127.0.0.1:1', namespace: 'default', uiUrl: '' },
    simulator: {
      ...{ baseUrl: 'https://127.0.0.1:1', caFile: '', certSha256: '' },
      ...{ ledgerFile: '', adminUrl: ofKeel, adminToken: 'token-of-the-keel' },
    },
  });
});
afterAll(() => {
  for (const server of servers) server.close();
  remove();
});

const status = async (env: NodeJS.ProcessEnv, ...args: string[]): Promise<unknown> => {
  asked.length = 0;
  const lines: string[] = [];
  const code = await simulatorCommand(['status', ...args], (line) => lines.push(line), env);
  expect(code).toBe(0);
  return JSON.parse(lines.join('\n'));
};

it('asks the simulator that the environment names, also beside a Keel that runs', async () => {
  expect(await status({ KEEL_DATA_DIR: dataDir })).toEqual({ name: 'of the Keel' });
  expect(await status({}, '--data-dir', dataDir)).toEqual({ name: 'of the Keel' });
  const named = { KEEL_SIMULATOR_ADMIN_URL: own, KEEL_SIMULATOR_ADMIN_TOKEN: 'own-token-of-16-letters' };
  expect(await status({ KEEL_DATA_DIR: dataDir, ...named })).toEqual({ name: 'own' });
  expect(asked).toEqual([{ name: 'own', authorization: 'Bearer own-token-of-16-letters' }]);
});

it('refuses half of a name, and two names, and asks nobody then', async () => {
  const KEEL_DATA_DIR = dataDir;
  const KEEL_SIMULATOR_ADMIN_TOKEN = 'own-token-of-16-letters';
  await expect(status({ KEEL_DATA_DIR, KEEL_SIMULATOR_ADMIN_TOKEN })).rejects.toThrow(
    'KEEL_SIMULATOR_ADMIN_TOKEN is set without KEEL_SIMULATOR_ADMIN_URL: set both, or neither',
  );
  await expect(status({ KEEL_DATA_DIR, KEEL_SIMULATOR_ADMIN_URL: own })).rejects.toThrow(
    'KEEL_SIMULATOR_ADMIN_URL is set without KEEL_SIMULATOR_ADMIN_TOKEN: set both, or neither',
  );
  const both = { KEEL_SIMULATOR_ADMIN_URL: own, KEEL_SIMULATOR_ADMIN_TOKEN };
  await expect(status(both, '--data-dir', dataDir)).rejects.toThrow('name two simulators');
  expect(asked).toEqual([]);
});
