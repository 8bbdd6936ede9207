import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { choosePorts } from './ports.js';
import { identify } from './processTable.js';

let claims: string;
beforeEach(() => {
  claims = mkdtempSync(join(tmpdir(), 'keel-claims-'));
});
afterEach(() => {
  rmSync(claims, { recursive: true });
});

/** One that was free a moment ago. */
async function somePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const claim = (port: number, owner: unknown): void => {
  writeFileSync(join(claims, String(port)), JSON.stringify(owner));
};

describe('ports', () => {
  it('are not the same for two who choose at once, though nobody listens yet', async () => {
    const wish = await somePort();
    const choose = () => choosePorts({ api: wish, temporal: 0 }, claims);
    const [one, other] = await Promise.all([choose(), choose()]);
    const ports = [one, other].flatMap(({ api, temporal }) => [api.port, temporal.port]);
    expect(new Set(ports).size).toBe(4);
    expect([one.api, other.api].filter(({ insteadOf }) => insteadOf === wish)).toHaveLength(1);
    expect(readdirSync(claims).sort()).toEqual(ports.map(String).sort());
  });

  it('that another living process has chosen are left to it, and those of a dead one are not', async () => {
    const [theirs, free] = [await somePort(), await somePort()];
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    const owner = identify(other.pid ?? 0);
    claim(theirs, owner);
    expect((await choosePorts({ api: theirs }, claims)).api.insteadOf).toBe(theirs);
    other.kill('SIGKILL');
    await once(other, 'exit');
    claim(free, owner);
    expect((await choosePorts({ api: free }, claims)).api).toEqual({ port: free, insteadOf: null });
  });

  it('that are busy are not kept claimed', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { api } = await choosePorts({ api: port }, claims);
    expect(api.insteadOf).toBe(port);
    expect(readdirSync(claims)).toEqual([String(api.port)]);
    server.close();
  });
});
