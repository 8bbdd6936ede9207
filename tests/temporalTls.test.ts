// A Temporal server behind TLS that wants a client certificate, as Temporal Cloud does: the real dev server with a TLS
// front of our own. A worker and the doctor reach it with the right files, and are refused with the wrong ones.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer, type Server } from 'node:tls';
import { once } from 'node:events';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examine } from '../cli/doctor/examine.js';
import { readPatient } from '../cli/doctor/patient.js';
import { startStack, type TestStack } from './support/stack.js';
import { tempFolder } from './support/temp.js';
import { startTemporal, type TestTemporal } from './support/temporal.js';

const folder = tempFolder('temporal-tls').path;
let temporal: TestTemporal;
let stack: TestStack;
let front: Server;
let secured: Record<string, string>;

/** A certificate for temporal.test as PEM files, signed by the authority. */
async function certificate(
  name: string,
  ca: { cert: string; key: string },
): Promise<{ cert: string; key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ca,
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'temporal.test' }] },
    ],
  });
  const [cert, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}.key`)];
  writeFileSync(cert, made.cert);
  writeFileSync(key, made.private, { mode: 0o600 });
  return { cert, key };
}

/** @returns its PEM texts, and the file of its certificate */
async function authority(): Promise<{ cert: string; key: string; file: string }> {
  const made = await generate([{ name: 'commonName', value: 'Authority of the test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const file = path.join(folder, 'authority.pem');
  writeFileSync(file, made.cert);
  return { cert: made.cert, key: made.private, file };
}

beforeAll(async () => {
  temporal = await startTemporal();
  stack = await startStack(temporal);
  const ca = await authority();
  const [server, client] = [await certificate('server', ca), await certificate('client', ca)];
  front = createServer(
    {
      cert: readFileSync(server.cert),
      key: readFileSync(server.key),
      ca: ca.cert,
      requestCert: true,
      ALPNProtocols: ['h2'],
    },
    (socket) => {
      const [host = '', port = ''] = temporal.address.split(':');
      const behind = connectTcp(Number(port), host);
      socket.pipe(behind).pipe(socket);
      socket.on('error', () => behind.destroy());
      behind.on('error', () => socket.destroy());
    },
  ).listen(0, '127.0.0.1');
  await once(front, 'listening');
  secured = {
    TEMPORAL_ADDRESS: `127.0.0.1:${String((front.address() as AddressInfo).port)}`,
    TEMPORAL_TLS_CA_FILE: ca.file,
    TEMPORAL_TLS_CERT_FILE: client.cert,
    TEMPORAL_TLS_KEY_FILE: client.key,
    TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
  };
});

afterAll(async () => {
  await stack.stop();
  front.close();
  await temporal.stop();
});

const temporalLines = async (change: Record<string, string>): Promise<readonly [string, string][]> => {
  const env = { ...stack.settings, ...secured, ...change };
  const findings = await examine(
    readPatient(env, { now: () => Date.now(), nodeVersion: process.versions.node }),
  );
  return findings
    .filter(({ check }) => ['temporal', 'worker'].includes(check))
    .map(({ check, status }): [string, string] => [check, status]);
};

describe('Temporal behind TLS', () => {
  it('is reached by a worker and by the doctor', async () => {
    Object.assign(stack.env, secured);
    await stack.startWorker();
    // The server counts a worker once its first poll has come in, which is after the worker's line says it is ready.
    await expect
      .poll(() => temporalLines({}), { timeout: 20_000 })
      .toEqual([
        ['temporal', 'ok'],
        ['worker', 'ok'],
      ]);
  });

  it('is not reached without our certificate, nor under another name', async () => {
    const none = { TEMPORAL_TLS_CERT_FILE: '', TEMPORAL_TLS_KEY_FILE: '' };
    expect(await temporalLines(none)).toEqual([['temporal', 'fault']]);
    expect(await temporalLines({ TEMPORAL_TLS_SERVER_NAME: 'other.test' })).toEqual([['temporal', 'fault']]);
  });
});
