// The deterministic analyst: the default where no model is configured. The same bars always give the same answer.
import { computeIndicators } from '../../domain/indicators/compute.js';
import type { Analysis } from '../../domain/decision/decision.js';
import { timeframeRules } from '../../domain/market/bar.js';
import { toColumns } from '../../domain/market/columns.js';
import type { RulesAnalyst } from '../../ports/analyst.js';
import { propose } from './propose.js';
import { scoreTimeframe } from './score.js';

const name = 'rules';
/** Raised with every change that may change an answer; `keel verify` compares it. */
const version = '2';

/** Made by a worker of version 1, just before its place was taken: half of a decision by each would be nobody's. */
const readBeforeRegimes = ({ timeframe, barCount, regime }: Analysis): boolean =>
  timeframe === 'daily' && barCount >= timeframeRules.daily.warmUp && regime === undefined;

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
      const outdated = input.analyses.find(readBeforeRegimes);
      if (outdated !== undefined) {
        return Promise.resolve({
          kind: 'failed',
          code: 'ANALYSIS_OUTDATED',
          message: `the ${outdated.timeframe} bars were read by a version of the rules that told no kind of market, before Keel was updated: run the session again (keel run … --again)`,
        });
      }
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
