// The simulator's section of the configuration. Used by schema.ts.
import { z } from 'zod';
import { decimal, milliseconds, port, share } from './parts.js';

const smallShare = z
  .string()
  .regex(/^0(\.[0-4]\d*)?$/, 'a share is a decimal string below one half, such as "0.0005"');

export const simulatorSchema = z.strictObject({
  host: z.string().min(1),
  /** Client Portal front, https. 0 takes a free port. */
  port,
  adminPort: port,
  /** The simulator's own API, plain http. 0 takes a free port. */
  apiPort: port,
  /** The front of its OAuth consumer, https, where there is one. 0 takes a free port. */
  oauthPort: port,
  adminUrl: z.string(),
  adminToken: z.string(),
  directory: z.string().min(1),
  /** postgres://… for a copy of its users, cash, holdings and trades; empty for none. Masked, as it holds a password. */
  databaseUrl: z
    .string()
    .regex(/^(postgres(ql)?:\/\/.+)?$/, 'postgres://user:password@host:port/name, or empty'),
  /** Who is asked for the prices of its own API, in this order; empty: the replayed bars. A ledger keeps to one of the two. */
  priceChain: z.array(z.enum(['yahoo', 'alphavantage'])),
  /** A price of the chain is given from the cache for so long. */
  priceFreshMs: milliseconds,
  accountId: z.string().min(1),
  /** Starting cash of the account, USD. What grows from it must fit the tables, numeric(15,2). */
  cash: z
    .string()
    .regex(/^\d{1,11}(\.\d{1,2})?$/, 'dollars and cents, with at most 11 digits before the point'),
  /** Market orders fill at the open plus or minus this share. */
  slippage: smallShare,
  /** Distance of bid and ask as a share of the price; who takes pays half of it. */
  spread: smallShare,
  /** Commission per share, and at least of an order, USD. */
  commissionPerShare: decimal,
  commissionMinimum: z.string().regex(/^\d{1,6}(\.\d{1,2})?$/, 'dollars and cents, such as "1.00"'),
  /** Largest share of a bar's volume that the orders of its session may trade; 0: no bound. */
  volumeShare: share,
  /** Sessions until what a sale brings can be spent again; 0: at once. */
  settlementSessions: z.number().int().min(0).max(10),
  /** The simulator's request limits and penalty are IBKR's, scaled by this: 50 allows 50 times as much. */
  limitsFactor: z.number().positive(),
  /** How much faster than the machine's the clocks of the simulated login run: idle time and midnight. */
  clockFactor: z.number().positive(),
  /** on: the simulated login ends at midnight of New York, so that a person must log in again; off: it is renewed there. */
  midnightReset: z.enum(['on', 'off']),
  /** on: it makes a consumer of OAuth, and listens for it on a free port. With npm start Keel then logs in as that one. */
  oauth: z.enum(['on', 'off']),
});
