// The live feed of a gateway: one WebSocket for as long as somebody listens, connected again and subscribed anew by itself.
// It only says when to look. Made by gateway.ts; the worker's poller and tools listen.
import { z } from 'zod';
import type { BrokerNews, BrokerNewsPort } from '../../../ports/brokerNews.js';
import type { Clock } from '../../../ports/clocks.js';
import type { Timer } from '../timer.js';
import { createPinnedAgent } from '../tls.js';
import type { IbkrTls } from '../tls.js';
import { createOrderBook, createQuoteBook, createTradeBook } from './books.js';
import type { QuoteFields } from './books.js';
import { connectSocket } from './connection.js';
import type { Connection } from './connection.js';

export interface LiveFeed extends BrokerNewsPort {
  /** Follows the fields of a contract. @returns ends it */
  follow(conid: string, fields: readonly string[], seen: (fields: QuoteFields) => void): () => void;
  /** Ends the connection, whoever listens. */
  close(): void;
}

export interface FeedOptions extends IbkrTls {
  readonly baseUrl: string;
  /** The session's name, of tickle. May fail: then there is no socket for a while. */
  readonly sessionId: () => Promise<string>;
  /** With OAuth, whose consumer is named in the address. */
  readonly accessToken?: string;
  readonly clock: Clock;
  readonly timer: Timer;
  /** Divides the waits between attempts; 1 for IBKR. */
  readonly factor: number;
  /** How much faster than the machine's the gateway's clocks run: its heartbeat, and ours. */
  readonly clockFactor: number;
}

interface Follower {
  readonly conid: string;
  readonly fields: readonly string[];
  readonly seen: (fields: QuoteFields) => void;
}

/** Before the first, second, … attempt to connect again, wall milliseconds; the last one stays. */
const backOffMs = [1000, 2000, 5000, 15_000, 60_000];

const stsSchema = z.object({ authenticated: z.boolean() });

function addressOf({ baseUrl, accessToken }: FeedOptions): string {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/ws`);
  url.protocol = 'wss:';
  if (accessToken !== undefined) url.searchParams.set('oauth_token', accessToken);
  return url.href;
}

/** The gateway's own samples wrap the name in JSON; IBKR itself takes it bare. */
const cookieOf = (id: string, { accessToken }: FeedOptions): string =>
  accessToken === undefined ? `api={"session":"${id}"}` : `api=${id}`;

/** Hints, of which any number before they are asked for counts once. */
function createHints(): Pick<BrokerNews, 'next'> & { hint(): void } {
  let resolve: (() => void) | null = null;
  let waiting: Promise<void> | null = null;
  let pending = false;
  return {
    hint() {
      if (resolve === null) pending = true;
      else resolve();
      [resolve, waiting] = [null, null];
    },
    next() {
      if (pending) {
        pending = false;
        return Promise.resolve();
      }
      waiting ??= new Promise((done) => {
        resolve = done;
      });
      return waiting;
    },
  };
}

/**
 * Who listens, and what a frame means to them.
 * @param send writes to the connection that there is, if any
 * @param steady hears of each heartbeat
 */
function createAudience(send: (text: string) => void, steady: () => void) {
  const listeners = new Set<ReturnType<typeof createHints>>();
  const followers = new Set<Follower>();
  const orders = createOrderBook();
  const trades = createTradeBook();
  const quotes = createQuoteBook();
  /** The connection has a name, and its session has not said yet whether it stands. */
  let greeted = false;

  const hint = (): void => {
    for (const listener of listeners) listener.hint();
  };
  const follow = ({ conid, fields }: Follower): void => {
    send(`smd+${conid}+${JSON.stringify({ fields })}`);
  };

  function subscribe(): void {
    greeted = false;
    send('sor+{}');
    send('str+{"realtimeUpdatesOnly":false,"days":1}');
    for (const follower of followers) follow(follower);
    // What happened while nobody listened was not told.
    hint();
  }

  return {
    listeners,
    followers,
    isEmpty: () => listeners.size + followers.size === 0,
    follow,
    leave({ conid }: Follower): void {
      if ([...followers].some((other) => other.conid === conid)) return;
      send(`umd+${conid}+{}`);
      quotes.forget(conid);
    },
    hear(frame: Readonly<Record<string, unknown>>): void {
      const { topic, args } = frame;
      if (typeof topic !== 'string') return;
      if (topic === 'sor' ? orders.take(args) : topic === 'str' && trades.take(args)) hint();
      if (topic === 'system' && typeof frame['success'] === 'string') greeted = true;
      // A session that comes up anew knows of no subscription; the loss of one tells itself to whoever asks.
      if (topic === 'sts') {
        greeted = false;
        if (stsSchema.safeParse(args).data?.authenticated === true) subscribe();
      }
      if (topic === 'system' && frame['hb'] !== undefined) {
        steady();
        // A gateway whose heart beats before it tells of the session does not begin with that.
        if (greeted) subscribe();
      }
      if (!topic.startsWith('smd')) return;
      const told = quotes.take(frame);
      for (const follower of followers) if (follower.conid === told?.conid) follower.seen(told.fields);
    },
  };
}

export function createLiveFeed(options: FeedOptions): LiveFeed {
  const { timer, factor, clockFactor } = options;
  const agent = createPinnedAgent(options, false);
  let connection: Connection | null = null;
  let cancelRetry: (() => void) | null = null;
  /** Counts what was begun: an attempt that is no longer the newest ends by itself. */
  let attempt = 0;
  /** Attempts since the last heartbeat. Kept while nobody listens: whoever comes next waits out what they have earned. */
  let failures = 0;
  let notBefore = 0;
  const audience = createAudience(
    (text) => connection?.send(text),
    () => {
      failures = 0;
    },
  );
  const { listeners, followers } = audience;

  const waitMs = (): number =>
    (backOffMs[Math.min(Math.max(failures, 1), backOffMs.length) - 1] ?? 0) / factor;

  function retry(): void {
    connection = null;
    notBefore = options.clock.now() + waitMs();
    cancelRetry = timer.after(waitMs(), connect);
  }

  function connect(): void {
    cancelRetry = null;
    attempt += 1;
    failures += 1;
    const own = attempt;
    const again = (): void => {
      if (own === attempt) retry();
    };
    options.sessionId().then((sessionId) => {
      if (own !== attempt) return;
      connection = connectSocket({
        ...{ agent, sessionId, timer, clockFactor, clock: options.clock },
        url: addressOf(options),
        cookie: cookieOf(sessionId, options),
        handshakeMs: options.timeoutMs,
        onFrame: (frame) => {
          audience.hear(frame);
        },
        onEnd: again,
      });
    }, again);
  }

  function stopIfEmpty(): void {
    if (!audience.isEmpty()) return;
    attempt += 1;
    // A wait that has begun is not made longer.
    if (cancelRetry === null && failures > 0) notBefore = options.clock.now() + waitMs();
    cancelRetry?.();
    cancelRetry = null;
    connection?.end();
    connection = null;
  }

  /** Adds somebody; the first one brings the connection about, as soon as it may be tried. */
  function join(add: () => void): void {
    const first = audience.isEmpty();
    add();
    if (!first) return;
    const leftMs = notBefore - options.clock.now();
    if (leftMs <= 0) connect();
    else cancelRetry = timer.after(leftMs, connect);
  }

  return {
    open() {
      const hints = createHints();
      join(() => listeners.add(hints));
      const close = (): void => {
        listeners.delete(hints);
        stopIfEmpty();
      };
      return { next: () => hints.next(), close };
    },
    follow(conid, fields, seen) {
      const follower = { conid, fields, seen };
      join(() => followers.add(follower));
      audience.follow(follower);
      return () => {
        followers.delete(follower);
        audience.leave(follower);
        stopIfEmpty();
      };
    },
    close() {
      listeners.clear();
      followers.clear();
      stopIfEmpty();
      agent.destroy();
    },
  };
}
