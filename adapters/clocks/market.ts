// The market's clock of a mode: the machine's in paper and live, in simulated mode the simulator's. Made by the composition roots.
import type { Mode } from '../../contracts/wire/names.js';
import type { Clock, MarketClock } from '../../ports/clocks.js';
import { createMachineMarketClock } from './machine.js';
import { createSimulatedMarketClock } from './simulated.js';

const timeoutMs = 5000;

/** @param simulator its admin HTTP, where the mode is simulated */
export const createMarketClock = (
  mode: Mode,
  simulator: { readonly adminUrl: string; readonly adminToken: string },
  clock: Clock,
): MarketClock =>
  mode === 'simulated'
    ? createSimulatedMarketClock({ adminUrl: simulator.adminUrl, token: simulator.adminToken, timeoutMs })
    : createMachineMarketClock(clock);
