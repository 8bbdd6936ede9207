// Starts and stops a broker simulator: exchange, ledger, https front and admin front over one directory. Called by main.ts
// and by tests.
import { accessSync, constants, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import { join } from 'node:path';
import type { Express } from 'express';
import type { AddressInfo } from 'node:net';
import { KeelError } from '../ports/errors.js';
import { createAdmin } from './admin.js';
import { certificateOf } from './certificate.js';
import { createClientPortal } from './clientPortal/app.js';
import { freshSession } from './clientPortal/portal.js';
import type { Portal } from './clientPortal/portal.js';
import { createFaults } from './faults.js';
import { lockDirectory } from './lock.js';
import { ownConsumer } from './oauth/consumer.js';
import type { ConsumerSettings } from './oauth/consumer.js';
import { createOauthFront } from './oauth/front.js';
import type { OauthOptions } from './oauth/front.js';
import { createOwnApi } from './ownApi/app.js';
import { attachSocket } from './socket/socket.js';
import { openWorld } from './world.js';
import type { WorldOptions } from './world.js';

export interface SimulatorOptions extends WorldOptions {
  readonly host: string;
  /** Client Portal front, https; 0 takes a free port. */
  readonly port: number;
  readonly adminPort: number;
  /** The simulator's own API, plain http; a free port when left out. */
  readonly apiPort?: number;
  /** At least 16 characters. */
  readonly adminToken: string;
  /** Holds ledger, its mark, certificate and lock; made when missing. */
  readonly directory: string;
  /** By how much the broker's request limits and its penalty are scaled; 50 when left out. */
  readonly limitsFactor?: number;
  /** How much faster than the machine's the clocks of the login run: idle time and midnight; 1 when left out. */
  readonly clockFactor?: number;
  /** Whether the login ends at midnight of New York, so that a person must log in again, or is renewed; renewed when left out. */
  readonly midnightReset?: boolean;
  /**
   * A consumer of OAuth, for whom the same API listens on a port of its own; `own`: one that the simulator makes. None when
   * left out.
   */
  readonly oauth?: OauthOptions | 'own';
  /** Its port; a free one when left out. */
  readonly oauthPort?: number;
}

export interface Simulator {
  /** https base of the Client Portal API. */
  readonly baseUrl: string;
  /** The same for a consumer of OAuth; null without one. */
  readonly oauthUrl: string | null;
  /** Who may log in there, where the simulator has made the consumer itself; else null. */
  readonly oauthConsumer: ConsumerSettings | null;
  readonly adminUrl: string;
  /** Base of the simulator's own API, without /api/v1. */
  readonly apiUrl: string;
  readonly caFile: string;
  readonly certSha256: string;
  readonly ledgerFile: string;
  /** Bytes of an unfinished write that a crash had left and that were cut off the ledger. */
  readonly ledgerCutBytes: number;
  close(): Promise<void>;
}

const LEAST_TOKEN = 16;
const USUAL_LIMITS_FACTOR = 50;

/**
 * Starts a simulator and answers once both fronts listen.
 * @throws KeelError SIMULATOR_ADMIN_TOKEN, SIMULATOR_DIRECTORY, SIMULATOR_DIRECTORY_IN_USE, SIMULATOR_DATA,
 *   LEDGER_DAMAGED, LEDGER_CUT, PORT_IN_USE or SIMULATOR_ADDRESS; nothing is left open then
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  if (options.adminToken.length < LEAST_TOKEN)
    throw new KeelError(
      'SIMULATOR_ADMIN_TOKEN',
      `The simulator needs an admin token of at least ${LEAST_TOKEN} characters; set KEEL_SIMULATOR_ADMIN_TOKEN.`,
    );
  const undo: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return await open(options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  options: SimulatorOptions,
  undo: (() => void | Promise<void>)[],
  close: () => Promise<void>,
): Promise<Simulator> {
  const { directory, host, clock, onError, accountId } = options;
  makeDirectory(directory);
  undo.push(lockDirectory(directory));
  const certificate = await certificateOf(directory, clock);
  const ledgerFile = join(directory, 'ledger.jsonl');
  const world = await openWorld(options, ledgerFile, undo);
  const { engine, live, marketClock } = world;
  const portal: Portal = {
    engine,
    accounts: [accountId, ...(options.moreAccounts ?? [])],
    clock,
    clockFactor: options.clockFactor ?? 1,
    startedAt: clock.now(),
    midnightReset: options.midnightReset ?? false,
    session: freshSession(accountId, clock.now()),
    faults: createFaults(),
    limitsFactor: options.limitsFactor ?? USUAL_LIMITS_FACTOR,
    penalty: { until: 0, refused: 0 },
    hidden: new Map(),
    doubled: new Set(),
    cancelling: new Set(),
    live,
  };
  const log = (error: unknown): void => {
    onError(error, error instanceof KeelError && error.code === 'LEDGER_WRITE');
  };
  const clientPortal = createClientPortal(portal, log);
  const tls = { key: certificate.key, cert: certificate.cert, minVersion: 'TLSv1.2' } as const;
  const front = createTlsServer(tls, clientPortal);
  const admin = createServer(
    createAdmin({
      portal,
      clock: marketClock,
      token: options.adminToken,
      cutBytes: world.cutBytes,
      tables: world.tables,
      log,
    }),
  );
  const ownApi = createServer(createOwnApi({ engine, clock, live }, log));
  const apiPort = await listen(ownApi, host, options.apiPort ?? 0, undo);
  const port = await listen(front, host, options.port, undo);
  const adminPort = await listen(admin, host, options.adminPort, undo);
  undo.push(attachSocket(front, portal, null));
  const own = options.oauth === 'own' ? ownConsumer(directory) : null;
  const oauth = options.oauth === 'own' ? own : options.oauth;
  const oauthFront = { oauth, host, portal, port: options.oauthPort ?? 0 };
  const oauthPort = await listenForOauth(oauthFront, createTlsServer(tls), clientPortal, undo);
  return {
    baseUrl: `https://${host}:${port}/v1/api`,
    oauthUrl: oauthPort === null ? null : `https://${host}:${oauthPort}/v1/api`,
    oauthConsumer: own?.settings ?? null,
    adminUrl: `http://${host}:${adminPort}`,
    apiUrl: `http://${host}:${apiPort}`,
    caFile: certificate.caFile,
    certSha256: certificate.sha256,
    ledgerFile,
    ledgerCutBytes: world.cutBytes,
    close,
  };
}

/** The second https front, where there is a consumer for it. @returns its port */
async function listenForOauth(
  {
    oauth,
    host,
    portal,
    port,
  }: {
    readonly oauth: OauthOptions | null | undefined;
    readonly host: string;
    readonly portal: Portal;
    readonly port: number;
  },
  server: TlsServer,
  clientPortal: Express,
  undo: (() => void | Promise<void>)[],
): Promise<number | null> {
  if (oauth == null) return null;
  server.on('request', createOauthFront(portal, oauth, clientPortal));
  const bound = await listen(server, host, port, undo);
  undo.push(attachSocket(server, portal, oauth.consumer.accessToken));
  return bound;
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    const message = `The simulator's directory ${directory} cannot be made or written; choose another with KEEL_SIMULATOR_DIR.`;
    throw new KeelError('SIMULATOR_DIRECTORY', message, { facts: { directory }, cause });
  }
}

async function listen(
  server: Server,
  host: string,
  port: number,
  undo: (() => void | Promise<void>)[],
): Promise<number> {
  // Longer than clients keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const [code, message] =
        cause.code === 'EADDRINUSE'
          ? [
              'PORT_IN_USE',
              `Port ${port} of ${host} is taken; stop what uses it, or choose another for the simulator.`,
            ]
          : [
              'SIMULATOR_ADDRESS',
              `The simulator cannot listen on ${host} port ${port} (${cause.message}); correct KEEL_SIMULATOR_HOST, which is an address of this machine, or the port.`,
            ];
      reject(new KeelError(code, message, { facts: { host, port }, cause }));
    });
    server.listen(port, host, resolve);
  });
  undo.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}
