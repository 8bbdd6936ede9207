// Free ports of the loopback interface, for every test that starts a server.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections, so that none of those takes one before its server does. */
const range = [15_000, 32_000] as const;
/** Tests run side by side: a port that was given out may not have its server yet. */
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
    const port = randomInt(...range);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
};
