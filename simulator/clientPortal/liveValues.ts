// Live prices on this front: before holdings are valued, they are priced as the own API would, by the same book. Called by app.ts.
import type { RequestHandler } from 'express';
import { KeelError } from '../../ports/errors.js';
import { readyToValue } from '../live/live.js';
import type { Portal } from './portal.js';

const valued = /^\/(portfolio2?\/|iserver\/account\/pnl)/;

const noValue: readonly string[] = ['PRICES_AWAY', 'PRICE_OF_OTHER_TIME'];

export const liveValues =
  ({ live, engine, accounts }: Portal): RequestHandler =>
  async (request, response, next) => {
    if (live !== null && valued.test(request.path)) {
      try {
        await readyToValue(live, engine, accounts);
      } catch (error) {
        if (!(error instanceof KeelError) || !noValue.includes(error.code)) throw error;
        response.status(503).json({ error: error.message, statusCode: 503 });
        return;
      }
    }
    next();
  };
