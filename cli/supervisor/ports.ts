// Free ports on loopback. A preferred port that is busy is replaced by a free one, and the caller prints it. Between the
// choice and the server that listens there are seconds, in which another Keel would find the port free: so each chosen one is
// claimed, for as long as this process lives, by a file that every Keel of this user looks at.
import { lstatSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveBack, takeLock } from './lockFile.js';

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
 * Chooses a port for each preference, none twice, and none that another Keel of this user has chosen. 0 asks for any free
 * port.
 * @param claims the folder of the claims; tests give one of their own
 * @throws Error when the machine gives no free port
 */
export async function choosePorts<Name extends string>(
  preferred: Readonly<Record<Name, number>>,
  claims = claimsOfUser(),
): Promise<Record<Name, PortChoice>> {
  const hold = createHold(claims);
  const result: Partial<Record<Name, PortChoice>> = {};
  for (const name of Object.keys(preferred) as Name[]) {
    const wish = preferred[name];
    const own = wish !== 0 && (await take(wish, hold));
    const port = own ? wish : await anyPort(hold);
    result[name] = { port, insteadOf: own || wish === 0 ? null : wish };
  }
  process.once('exit', hold.end);
  return result as Record<Name, PortChoice>;
}

/** Claimed first: two who look at a port at the same moment would each find the other there. */
async function take(port: number, hold: Hold): Promise<boolean> {
  if (!hold.claim(port)) return false;
  if (await isFree(port)) return true;
  hold.giveUp(port);
  return false;
}

async function anyPort(hold: Hold): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await listen(0);
    if (port !== null && (await take(port, hold))) return port;
  }
  throw new Error('the machine gives no free port on 127.0.0.1');
}

interface Hold {
  claim(port: number): boolean;
  giveUp(port: number): void;
  readonly end: () => void;
}

/** The ports of one choice; with a folder for the claims no other choice gets them. */
function createHold(claims: string | null): Hold {
  const held = new Set<number>();
  const giveUp = (port: number): void => {
    held.delete(port);
    if (claims !== null) giveBack(join(claims, String(port)));
  };
  return {
    claim: (port) => {
      if (held.has(port)) return false;
      if (claims !== null && isClaimed(join(claims, String(port)))) return false;
      held.add(port);
      return true;
    },
    giveUp,
    end: () => {
      for (const port of held) giveUp(port);
    },
  };
}

/** Whether another start has it. Where no claim can be written, ports are chosen as well as can be without. */
function isClaimed(file: string): boolean {
  try {
    return !takeLock(file).taken;
  } catch {
    return false;
  }
}

/** For its owner alone. Null where there can be none: ports are chosen as well as can be then. */
function claimsOfUser(): string | null {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `keel-ports-${String(user)}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    // Another user may have put a link or a folder of his own there.
    return found.isDirectory() && (process.getuid === undefined || found.uid === user) ? folder : null;
  } catch {
    return null;
  }
}
