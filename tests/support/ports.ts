// Free ports of the loopback interface, for every test that starts a server.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections, so that none of those takes one before its server does; of
 * files that run side by side each has a share of its own.
 */
const [lowest, shares, share] = [15_000, 8, 2_000] as const;
const from = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % shares) * share;
/** Tests of a file run side by side too: a port that was given out may not have its server yet. */
const given = new Set<number>();

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });

/** A TCP port that nothing listens on at this moment, and that no other call of this process was given. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(from, from + share);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
};
