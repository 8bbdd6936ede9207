// What the tests of decisions, limits and orders start from. Used by tests only; each changes what it is about.
import type { Decision } from '../decision/decision.js';
import type { RiskProfile } from '../risk/types.js';

/** The limits of the demo strategy. */
export const riskProfile: RiskProfile = {
  riskPerTrade: '0.01',
  maximumPositionShare: '0.10',
  minimumRCoefficient: '1.5',
  priceCollar: '0.05',
  cashReserve: '0.01',
  shortsAllowed: false,
  pyramiding: false,
};

/** A buy that risks 5 a share for 10. */
export const buyDecision: Decision = {
  action: 'buy',
  entry: '100',
  stop: '95',
  target: '110',
  rCoefficient: '2.0000',
  profitMargin: '0.1000',
  rationale: '',
  analyst: 'rules',
  sources: { action: 'analyst', entry: 'analyst', stop: 'analyst', target: 'analyst' },
};

export const sellDecision: Decision = {
  ...buyDecision,
  action: 'sell',
  entry: null,
  stop: null,
  target: null,
  rCoefficient: null,
  profitMargin: null,
};

/** US cents, whole shares. */
export const shareGrid = {
  priceIncrements: [{ from: '0', increment: '0.01' }],
  quantityIncrement: '1',
};
