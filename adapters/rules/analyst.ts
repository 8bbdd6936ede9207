// The deterministic analyst: the default where no model is configured. The same bars always give the same answer.
import { computeIndicators } from '../../domain/indicators/compute.js';
import { toColumns } from '../../domain/market/columns.js';
import type { RulesAnalyst } from '../../ports/analyst.js';
import { propose } from './propose.js';
import { scoreTimeframe } from './score.js';

const name = 'rules';
/** Raised with every change that may change an answer; `keel verify` compares it. */
const version = '1';

export function createRulesAnalyst(): RulesAnalyst {
  return {
    name,
    version,
    analyze: (input) => {
      const indicators = computeIndicators(toColumns(input.bars), input.indicators);
      return Promise.resolve({
        kind: 'ok',
        value: scoreTimeframe(input.timeframe, input.bars, indicators, name),
      });
    },
    decide: (input) => {
      const proposal = propose(input.analyses, input.limits.minimumRCoefficient);
      return Promise.resolve(
        proposal === null
          ? {
              kind: 'failed',
              code: 'NO_DAILY_ANALYSIS',
              message: 'the rules decide on daily bars; add that timeframe',
            }
          : { kind: 'ok', value: proposal },
      );
    },
  };
}
