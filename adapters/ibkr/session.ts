// The brokerage session: status, opening it (opening.ts), accounts, and the guard that the account agrees with the mode. Every
// other call of the adapter runs inside it. Called by the files of one noun each.
import type { Mode } from '../../contracts/wire/names.js';
import { KeelError } from '../../ports/errors.js';
import { guardAccount } from './guard.js';
import { away, createOpening, isSessionLoss, loginNeeded, refuseUnopened, usable } from './opening.js';
import type { OpeningOptions } from './opening.js';
import type { Lane } from './pacing.js';
import { accountsSchema, anyObjectSchema, authStatusSchema } from './schemas.js';
import type { AuthStatus } from './schemas.js';
import { statusEndpoint, tickleEndpoint } from './sessionEndpoints.js';

/** What the gateway wants once per session; forgotten when the session is lost. */
export interface SessionMemory {
  accountsRead: boolean;
  /** Executions are listed for the account that is selected, and whoever else uses the gateway can select another one. */
  hasOtherAccounts: boolean;
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

export interface SessionOptions extends OpeningOptions {
  readonly accountId: string;
  readonly mode: Mode;
  /** Whether any call opens the session; else only its owner does, through login.ts. */
  readonly opens: boolean;
  /** Kinds of questions that IBKR is asked to leave out; it forgets them with the session. */
  readonly suppressMessageIds: readonly string[];
}

const accountsEndpoint = { method: 'GET', path: '/iserver/accounts' } as const;
const switchEndpoint = { method: 'POST', path: '/iserver/account' } as const;
const suppressEndpoint = { method: 'POST', path: '/iserver/questions/suppress' } as const;

const tickleMs = 55_000;

const freshMemory = (): SessionMemory => ({
  accountsRead: false,
  hasOtherAccounts: false,
  portfolioRead: false,
  ordersPrimed: false,
  tradesRead: false,
});

export function createIbkrSession(options: SessionOptions): IbkrSession {
  const { client, clock, accountId } = options;
  let memory = freshMemory();
  const openings = new Map<Lane, Promise<void>>();
  let lastTickle = clock.now();

  const status = (lane: Lane): Promise<AuthStatus> => client.call(statusEndpoint, { lane }, authStatusSchema);
  const opening = createOpening(options, status, () => {
    memory = freshMemory();
  });

  async function readAccounts(lane: Lane): Promise<void> {
    const current = memory;
    const found = await client.call(accountsEndpoint, { lane }, accountsSchema);
    guardAccount(options, found);
    const selected = found.selectedAccount ?? accountId;
    if (selected !== accountId) {
      await select(lane);
      // Its lists begin anew, and the first of each is empty.
      current.ordersPrimed = false;
      current.tradesRead = false;
    }
    // A session that another lane opened meanwhile wants its own.
    current.accountsRead = true;
    current.hasOtherAccounts = found.accounts.some((id) => id !== accountId && id !== 'All');
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
    // Either way, since the clock may be set back.
    if (Math.abs(clock.now() - lastTickle) < tickleMs) return;
    lastTickle = clock.now();
    await client.call(tickleEndpoint, {}, anyObjectSchema).catch((error: unknown) => {
      if (isSessionLoss(error) || !(error instanceof KeelError)) throw error;
    });
  }

  async function bringUp(lane: Lane, opens: boolean): Promise<void> {
    const since = opening.turn();
    try {
      const found = await status(lane);
      if (!usable(found)) await (opens ? opening.open(found, lane, since) : refuseUnopened(options, found));
      // A cancel has no time for it; the next ordinary look has.
      else if (opens && lane === 'ordinary') await tickle();
      const isPrepared = memory.accountsRead;
      if (!isPrepared || (memory.hasOtherAccounts && lane === 'ordinary')) await readAccounts(lane);
      if (!isPrepared) await suppress(lane);
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
    const begun =
      openings.get(lane) ??
      bringUp(lane, options.opens).finally(() => {
        openings.delete(lane);
      });
    openings.set(lane, begun);
    return begun;
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
