// One gateway (or, with OAuth, IBKR itself) as Keel's ports: the broker and its market data over one HTTP client, one
// limiter, one session.
// Called by the composition root of the worker, once per process.
import type { Mode } from '../../contracts/wire/names.js';
import type { BrokerPort } from '../../ports/broker.js';
import type { BrokerLoginPort } from '../../ports/brokerSession.js';
import type { Clock } from '../../ports/clocks.js';
import type { LocksPort } from '../../ports/locks.js';
import type { SharedPacing } from '../../ports/pacing.js';
import type { MarketDataPort } from '../../ports/marketData.js';
import { createIbkrBroker } from './broker.js';
import { createIbkrClient } from './client.js';
import { createIbkrHttp } from './http.js';
import type { IbkrHttpOptions } from './http.js';
import { createIbkrDesk } from './desk.js';
import type { IbkrDesk } from './desk.js';
import { createIbkrLogin } from './login.js';
import { release } from './deskData.js';
import { createLines } from './lines.js';
import { createIbkrMarketData } from './marketData.js';
import { readCredentials } from './oauth/credentials.js';
import type { OauthSettings } from './oauth/credentials.js';
import { createLiveSession } from './oauth/liveSession.js';
import { createPacing } from './pacing.js';
import { machineTimer } from './timer.js';
import type { Timer } from './timer.js';
import { createIbkrSession } from './session.js';
import { createLiveFeed } from './socket/feed.js';
import type { LiveFeed } from './socket/feed.js';
import { readSessionId } from './socket/sessionId.js';

export interface IbkrGatewayOptions extends Omit<IbkrHttpOptions, 'named'> {
  readonly accountId: string;
  readonly mode: Mode;
  readonly clock: Clock;
  /** Whose session the gateway holds: its user name, or what else names the login in every process. */
  readonly login: string;
  readonly locks: LocksPort;
  /** Kinds of questions about an order (such as `o163`) that are answered with yes; none unless given. */
  readonly confirmMessageIds?: readonly string[];
  /** Kinds of questions that IBKR is asked to leave out, in each session anew; none unless given. */
  readonly suppressMessageIds?: readonly string[];
  /** How much faster than IBKR's limits this gateway may be used; 1 for the real one. */
  readonly pacingFactor: number;
  /** Longest wait of one request for its turn under the limits, wall milliseconds; 30 s unless given. */
  readonly pacingWaitMs?: number;
  /** The limits among all processes that ask this gateway; none where there is but one. */
  readonly sharedPacing?: SharedPacing;
  /** Whether another login of the same user name may be pushed out; no unless given. */
  readonly compete?: boolean;
  /** False where the workflow brokerSession alone opens the session; any call does unless given. */
  readonly opensSession?: boolean;
  /** What bars are said to come from, such as `simulator`; `ibkr` unless given. */
  readonly source?: string;
  readonly timer?: Timer;
  /** Set where Keel itself logs in at IBKR; there is no gateway then. */
  readonly oauth?: OauthSettings;
  /** How much faster than the machine's the gateway's clocks run, such as that of its heartbeat; 1 unless given. */
  readonly clockFactor?: number;
}

export interface IbkrGateway {
  readonly broker: BrokerPort;
  readonly marketData: MarketDataPort;
  /** What no run asks for, and a person or a tool may. */
  readonly desk: IbkrDesk;
  /** For the one owner of the login. */
  readonly login: BrokerLoginPort;
  /** Hints of what happens, and quotes as they change; connected only while somebody listens. */
  readonly feed: LiveFeed;
  /** Closes idle connections. */
  close(): void;
}

/** @throws KeelError IBKR_CONFIG, TypeError or RangeError when the options cannot work; makes no connection. */
export function createIbkrGateway(options: IbkrGatewayOptions): IbkrGateway {
  const { clock, accountId, mode, login, locks, pacingFactor: factor, timer = machineTimer } = options;
  const named = options.oauth !== undefined;
  const http = createIbkrHttp({ ...options, named });
  const { sharedPacing: shared, pacingWaitMs = 30_000 } = options;
  const { timeoutMs: requestMs } = options;
  const pacing = createPacing({
    clock,
    factor,
    timer,
    requestMs,
    ...(shared === undefined ? {} : { shared }),
  });
  const signing = options.oauth && {
    oauth: createLiveSession({
      ...{ http, pacing, clock, pacingWaitMs, factor },
      baseUrl: options.baseUrl.replace(/\/+$/, ''),
      credentials: readCredentials(options.oauth),
      renewed: () => {
        session.lost();
      },
    }),
  };
  const client = createIbkrClient({ http, pacing, clock, timer, pacingWaitMs, ...signing });
  const compete = options.compete ?? false;
  const session = createIbkrSession({
    client,
    clock,
    timer,
    accountId,
    mode,
    factor,
    compete,
    opens: options.opensSession ?? true,
    suppressMessageIds: options.suppressMessageIds ?? [],
    oauth: named,
  });
  const feed = createLiveFeed({
    ...options,
    ...{ named, timer, factor, clockFactor: options.clockFactor ?? 1 },
    sessionId: () => readSessionId(client),
    ...(options.oauth === undefined ? {} : { accessToken: options.oauth.accessToken }),
  });
  const parts = {
    ...{ client, pacing, session, timer, factor, accountId, locks, login },
    confirmMessageIds: options.confirmMessageIds ?? [],
  };
  const lines = createLines(clock, factor, (conid) => release(client, conid));
  return {
    broker: createIbkrBroker({ ...parts, lines }),
    desk: createIbkrDesk({ ...parts, clock }),
    marketData: createIbkrMarketData(client, session, options.source ?? 'ibkr'),
    login: createIbkrLogin({
      ...{ client, session, compete, oauth: named },
      stoppedUntil: () => pacing.stoppedUntil(),
    }),
    feed,
    close: () => {
      feed.close();
      http.close();
    },
  };
}
