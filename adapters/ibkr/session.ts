// The brokerage session: status, opening it, accounts, and the guard that the account agrees with the mode. Every
// other call of the adapter runs inside it. Called by the files of one noun each.
import type { Mode } from '../../contracts/wire/names.js';
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import { labelOf } from './client.js';
import type { IbkrClient } from './client.js';
import { refusalOf } from './errors.js';
import { guardAccount } from './guard.js';
import { sleep } from './timer.js';
import type { Lane } from './pacing.js';
import type { Timer } from './timer.js';
import { accountsSchema, anyObjectSchema, authStatusSchema } from './schemas.js';
import type { AuthStatus } from './schemas.js';
import { initEndpoint, statusEndpoint, tickleEndpoint } from './sessionEndpoints.js';

/** What the gateway wants once per session; forgotten when the session is lost. */
export interface SessionMemory {
  accountsRead: boolean;
  portfolioRead: boolean;
  ordersPrimed: boolean;
  tradesRead: boolean;
}

export interface IbkrSession {
  /** Asks for the status, opens the session where it can, reads the accounts. @throws KeelError BROKER_SESSION. */
  ensure(lane?: Lane): Promise<void>;
  /** The same without opening it: a session that does not stand is refused. @throws KeelError BROKER_SESSION. */
  join(): Promise<void>;
  /** Runs `work` in a session that stands; a refusal for want of one makes the next call open it again. */
  run<T>(work: (memory: SessionMemory) => Promise<T>, lane?: Lane): Promise<T>;
  /** Tells that the gateway no longer has the session. */
  lost(): void;
}

export interface SessionOptions {
  readonly client: IbkrClient;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly accountId: string;
  readonly mode: Mode;
  /** Whether another login of the same user name may be pushed out. */
  readonly compete: boolean;
  /** Whether any call opens the session; else only its owner does, through login.ts. */
  readonly opens: boolean;
  /** Whether Keel itself is the login, by OAuth: then no person has to be, and what `connected` says does not count. */
  readonly oauth: boolean;
  /** Kinds of questions that IBKR is asked to leave out; it forgets them with the session. */
  readonly suppressMessageIds: readonly string[];
  readonly factor: number;
}

const accountsEndpoint = { method: 'GET', path: '/iserver/accounts' } as const;
const switchEndpoint = { method: 'POST', path: '/iserver/account' } as const;
const suppressEndpoint = { method: 'POST', path: '/iserver/questions/suppress' } as const;

/** How long an opened session may take until it is authenticated, and how often it is asked for; wall milliseconds. */
const settleMs = 5000;
const settlePollMs = 500;
const tickleMs = 55_000;

/** Says that an init was not written, because another lane had written one. */
const overtaken = new Error('another lane opens the session');

const sessionCodes = new Set(['IBKR_UNAUTHORIZED', 'IBKR_NO_BRIDGE', 'IBKR_ACCOUNTS_FIRST']);

const isSessionLoss = (error: unknown): boolean => error instanceof KeelError && sessionCodes.has(error.code);

const freshMemory = (): SessionMemory => ({
  accountsRead: false,
  portfolioRead: false,
  ordersPrimed: false,
  tradesRead: false,
});

const usable = (status: AuthStatus): boolean =>
  status.authenticated && status.established !== false && status.competing !== true;

const away = (message: string, cause?: unknown): KeelError =>
  new KeelError('BROKER_SESSION', message, {
    errorClass: 'retryable',
    ...(cause === undefined ? {} : { cause }),
  });

const loginNeeded = (cause?: unknown): KeelError =>
  away('The gateway has no login: a person must log in to it in a browser.', cause);

/** A gateway without a person's login. */
const noLogin = ({ oauth }: SessionOptions, found: AuthStatus): boolean => !oauth && found.connected !== true;

/** Where only the owner of the login opens the session, everybody else waits for it. */
function refuseUnopened(options: SessionOptions, found: AuthStatus): never {
  if (noLogin(options, found)) throw loginNeeded();
  throw away(
    found.competing === true
      ? 'Another login of this user name holds the brokerage session. End it, or allow Keel to compete.'
      : 'The brokerage session is not up; the workflow brokerSession opens it.',
  );
}

/** Waits until a session that was just opened is usable. @throws KeelError BROKER_SESSION (retryable) after 5 s. */
async function settled(
  { clock, timer, factor }: SessionOptions,
  status: () => Promise<AuthStatus>,
): Promise<void> {
  const deadline = clock.now() + settleMs;
  const pause = Math.max(10, settlePollMs / factor);
  for (;;) {
    // Right after the session was opened the gateway may still say "no bridge" for a moment.
    const found = await status().catch((error: unknown) => {
      if (isSessionLoss(error)) return null;
      throw error;
    });
    if (found !== null && usable(found)) return;
    if (clock.now() + pause > deadline) {
      throw away('The brokerage session was opened and did not become usable within 5 s.');
    }
    await sleep(timer, pause);
  }
}

export function createIbkrSession(options: SessionOptions): IbkrSession {
  const { client, clock, accountId } = options;
  let memory = freshMemory();
  const openings = new Map<Lane, Promise<void>>();
  /** Whether an init was written whose session is awaited; `turn` moves when that begins and when it ends. */
  let comingUp = false;
  let turn = 0;
  let lastTickle = clock.now();

  const status = (lane: Lane): Promise<AuthStatus> => client.call(statusEndpoint, { lane }, authStatusSchema);

  /** Asks for a brokerage session. `write` may refuse it as `overtaken` at the last moment. */
  async function init(lane: Lane, write: () => void): Promise<void> {
    const body = { publish: true, compete: options.compete };
    const answer = await client.exchange(initEndpoint, { body, lane }, write).catch((error: unknown) => {
      if (error === overtaken) return null;
      throw error;
    });
    const refusal = answer === null ? null : refusalOf(labelOf(initEndpoint), answer);
    if (refusal !== null) throw refusal;
  }

  /**
   * Two lanes may come to this at once, and a second init would undo the first with all that was asked since: then the later
   * one only waits for the session.
   * @param since the turn when the status was asked for
   */
  async function open(found: AuthStatus, lane: Lane, since: number): Promise<void> {
    if (turn === since) memory = freshMemory();
    if (noLogin(options, found)) throw loginNeeded();
    if (found.competing === true && !options.compete) {
      throw away(
        'Another login of this user name holds the brokerage session. End it, or allow Keel to compete.',
      );
    }
    let wrote = false;
    const write = (): void => {
      if (turn !== since) throw overtaken;
      turn += 1;
      wrote = comingUp = true;
    };
    try {
      if (!comingUp) await init(lane, write);
      await settled(options, () => status(lane));
    } finally {
      if (wrote) {
        turn += 1;
        comingUp = false;
      }
    }
  }

  async function readAccounts(lane: Lane): Promise<void> {
    const current = memory;
    const found = await client.call(accountsEndpoint, { lane }, accountsSchema);
    guardAccount(options, found);
    const selected = found.selectedAccount ?? accountId;
    if (selected !== accountId) await select(lane);
    // A session that another lane opened meanwhile wants its own.
    current.accountsRead = true;
  }

  async function suppress(lane: Lane): Promise<void> {
    const { suppressMessageIds: messageIds } = options;
    if (messageIds.length > 0)
      await client.call(suppressEndpoint, { body: { messageIds }, lane }, anyObjectSchema);
  }

  /** Makes ours the account that executions are listed for. "Already set" comes with 200 or with 500. */
  async function select(lane: Lane): Promise<void> {
    await client
      .call(switchEndpoint, { body: { acctId: accountId }, lane }, anyObjectSchema)
      .catch((error: unknown) => {
        const words = error instanceof KeelError ? error.facts['text'] : null;
        if (typeof words !== 'string' || !/already set/i.test(words)) throw error;
      });
  }

  /** Keeps the login awake. Its answer decides nothing: the status does. */
  async function tickle(): Promise<void> {
    if (clock.now() - lastTickle < tickleMs) return;
    lastTickle = clock.now();
    await client.call(tickleEndpoint, {}, anyObjectSchema).catch((error: unknown) => {
      if (isSessionLoss(error) || !(error instanceof KeelError)) throw error;
    });
  }

  async function bringUp(lane: Lane, opens: boolean): Promise<void> {
    const since = turn;
    try {
      const found = await status(lane);
      if (!usable(found)) await (opens ? open(found, lane, since) : refuseUnopened(options, found));
      // A cancel has no time for it; the next ordinary look has.
      else if (opens && lane === 'ordinary') await tickle();
      if (!memory.accountsRead) {
        await readAccounts(lane);
        await suppress(lane);
      }
    } catch (error) {
      if (!isSessionLoss(error)) throw error;
      memory = freshMemory();
      if (error instanceof KeelError && error.code === 'IBKR_UNAUTHORIZED') {
        throw options.oauth ? away(error.message, error) : loginNeeded(error);
      }
      throw away('The brokerage session did not open. It is tried again.', error);
    }
  }

  /** One at a time in each lane: whoever comes meanwhile shares its result. A cancel neither waits for an ordinary one nor fails with it. */
  const ensure = (lane: Lane = 'ordinary'): Promise<void> => {
    const opening =
      openings.get(lane) ??
      bringUp(lane, options.opens).finally(() => {
        openings.delete(lane);
      });
    openings.set(lane, opening);
    return opening;
  };

  return {
    ensure,
    join: () => bringUp('ordinary', false),
    lost() {
      memory = freshMemory();
    },
    async run(work, lane = 'ordinary') {
      if (!memory.accountsRead) await ensure(lane);
      const current = memory;
      try {
        return await work(current);
      } catch (error) {
        if (isSessionLoss(error) && memory === current) memory = freshMemory();
        throw error;
      }
    },
  };
}
