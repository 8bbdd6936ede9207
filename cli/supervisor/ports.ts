// Free ports on loopback. A preferred port that is busy is replaced by a free one, and the caller prints it.
import { createServer } from 'node:net';

/** Whether a port of 127.0.0.1 can be listened on now. */
export const isFree = (port: number): Promise<boolean> => listen(port).then((found) => found !== null);

function listen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(null);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => {
        resolve(got);
      });
    });
  });
}

export interface PortChoice {
  readonly port: number;
  /** The preferred port, when it was busy. */
  readonly insteadOf: number | null;
}

/**
 * Chooses a port for each preference, none twice. 0 asks for any free port.
 * @throws Error when the machine gives no free port
 */
export async function choosePorts<Name extends string>(
  preferred: Readonly<Record<Name, number>>,
): Promise<Record<Name, PortChoice>> {
  const taken = new Set<number>();
  const result: Partial<Record<Name, PortChoice>> = {};
  for (const name of Object.keys(preferred) as Name[]) {
    const wish = preferred[name];
    const own = wish !== 0 && !taken.has(wish) && (await isFree(wish));
    const port = own ? wish : await anyPort(taken);
    taken.add(port);
    result[name] = { port, insteadOf: own || wish === 0 ? null : wish };
  }
  return result as Record<Name, PortChoice>;
}

async function anyPort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await listen(0);
    if (port !== null && !taken.has(port)) return port;
  }
  throw new Error('the machine gives no free port on 127.0.0.1');
}
