// Who listens to the live feed, what a frame means to them, and when the gateway has to be told what they want to hear. Made
// by feed.ts.
import { z } from 'zod';
import type { BrokerNews } from '../../../ports/brokerNews.js';
import { createOrderBook, createQuoteBook, createTradeBook } from './books.js';
import type { QuoteFields } from './books.js';

interface Follower {
  readonly conid: string;
  readonly fields: readonly string[];
  readonly seen: (fields: QuoteFields) => void;
}

const stsSchema = z.object({ authenticated: z.boolean() });

/** Hints, of which any number before they are asked for counts once. */
export function createHints(): Pick<BrokerNews, 'next'> & { hint(): void } {
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
export function createAudience(send: (text: string) => void, steady: () => void) {
  const listeners = new Set<ReturnType<typeof createHints>>();
  const followers = new Set<Follower>();
  const orders = createOrderBook();
  const trades = createTradeBook();
  const quotes = createQuoteBook();

  /** Of the connection that there is: a session counts as there until it tells otherwise. */
  let welcomed = false;
  let authenticated = true;

  const hint = (): void => {
    for (const listener of listeners) listener.hint();
  };
  const follow = ({ conid, fields }: Follower): void => {
    send(`smd+${conid}+${JSON.stringify({ fields })}`);
  };

  function subscribe(): void {
    send('sor+{}');
    send('str+{"realtimeUpdatesOnly":false,"days":1}');
    for (const follower of followers) follow(follower);
    // What happened while nobody listened was not told.
    hint();
  }

  /** A session that comes up anew knows of no subscription; that it is there is also told with each new connection. */
  function heardOfSession(now: boolean | undefined): void {
    if (now === undefined || now === authenticated) return;
    authenticated = now;
    if (now && welcomed) subscribe();
  }

  return {
    listeners,
    followers,
    isEmpty: () => listeners.size + followers.size === 0,
    follow,
    /** A new connection knows of nothing yet. */
    begin(): void {
      [welcomed, authenticated] = [false, true];
    },
    leave({ conid }: Follower): void {
      if ([...followers].some((other) => other.conid === conid)) return;
      send(`umd+${conid}+{}`);
      quotes.forget(conid);
    },
    hear(frame: Readonly<Record<string, unknown>>): void {
      const { topic, args } = frame;
      if (typeof topic !== 'string') return;
      if (topic === 'sor' ? orders.take(args) : topic === 'str' && trades.take(args)) hint();
      if (topic === 'system' && typeof frame['success'] === 'string') {
        welcomed = true;
        subscribe();
      }
      if (topic === 'sts') heardOfSession(stsSchema.safeParse(args).data?.authenticated);
      if (topic === 'system' && frame['hb'] !== undefined) steady();
      if (!topic.startsWith('smd')) return;
      const told = quotes.take(frame);
      for (const follower of followers) if (follower.conid === told?.conid) follower.seen(told.fields);
    },
  };
}
