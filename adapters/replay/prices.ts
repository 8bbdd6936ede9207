// Prices of the simulated market, from the simulator's admin HTTP at its own time. The default source in simulated mode.
// Made by the composition roots; called by adapters/prices.
import { z } from 'zod';
import { KeelError } from '../../ports/errors.js';
import type { PriceSource } from '../../ports/prices.js';

export interface ReplayOptions {
  readonly adminUrl: string;
  readonly token: string;
  readonly timeoutMs: number;
}

const answerSchema = z.object({
  price: z.string(),
  currency: z.string(),
  at: z.iso.datetime(),
  previousClose: z.string().nullable(),
  volume: z.number().nullable(),
});

const away = (symbol: string, reason: string): KeelError =>
  new KeelError('PRICE_AWAY', `The simulator gives no price of ${symbol}: ${reason}.`, {
    errorClass: 'retryable',
    facts: { symbol, reason },
  });

export const createReplayPrices = ({ adminUrl, token, timeoutMs }: ReplayOptions): PriceSource => ({
  name: 'replay',
  price: async (symbol) => {
    let status: number;
    let text: string;
    try {
      const url = `${adminUrl.replace(/\/+$/, '')}/price?symbol=${encodeURIComponent(symbol)}`;
      const response = await fetch(url, {
        headers: { Authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      // What fetch throws may hold the request and its token.
      throw away(
        symbol,
        error instanceof Error && error.name === 'TimeoutError' ? 'no answer' : 'unreachable',
      );
    }
    if (status === 404) {
      throw new KeelError('PRICE_UNKNOWN_SYMBOL', `The simulated market has no price of ${symbol} yet.`, {
        facts: { symbol },
      });
    }
    if (status !== 200) throw away(symbol, `status ${status}`);
    try {
      return { symbol, marketCap: null, ...answerSchema.parse(JSON.parse(text)) };
    } catch {
      throw away(symbol, 'an answer that is no price');
    }
  },
});
