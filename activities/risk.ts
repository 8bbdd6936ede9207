// Step 5: weighs the decision and proposes an order. It informs; admission (activities/order.ts) decides.
import type { ObjectRef } from '../contracts/wire/object.js';
import type { Mode } from '../contracts/wire/names.js';
import type { StrategySettings } from '../contracts/wire/strategy.js';
import { decidingScore, type Decision } from '../domain/decision/decision.js';
import type { Calendar, Session } from '../domain/market/calendarTypes.js';
import type { Contract } from '../domain/market/contract.js';
import { sessionDateOf } from '../domain/market/weekly.js';
import type { RiskVerdict, TimeframeScore } from '../domain/risk/types.js';
import type { BrokerPort } from '../ports/broker.js';
import type { Clock, MarketClock } from '../ports/clocks.js';
import type { DefinitionStore } from '../ports/definitions.js';
import type { ObjectStorePort } from '../ports/objectStore.js';
import type { EvidenceStore } from '../ports/evidence.js';
import type { BrokerStateStore, IntentStore, StrategyStore } from '../ports/stores.js';
import { clientOrderId } from './clientOrderId.js';
import { putJson } from './objects.js';
import type { Pause } from './pause.js';
import {
  relevantSnapshot,
  verdictOf,
  type MarketFacts,
  type RiskInput,
  type TradingState,
} from './riskInput.js';
import { isFresh, whenFresh, type FreshnessRule } from './snapshot.js';
import { definitionOf, settingsOf, type StrategyVersion } from './strategy.js';

export interface RiskDeps {
  readonly mode: Mode;
  readonly accountId: string;
  readonly broker: Pick<BrokerPort, 'quote'>;
  readonly objects: Pick<ObjectStorePort, 'put'>;
  readonly evidence: Pick<EvidenceStore, 'bars' | 'analyses' | 'putRisk'>;
  readonly strategies: Pick<StrategyStore, 'version'>;
  readonly definitions: Pick<DefinitionStore, 'version'>;
  readonly intents: Pick<IntentStore, 'listOpen' | 'listUnproven'>;
  readonly brokerState: Pick<BrokerStateStore, 'latest'>;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly calendar: Calendar;
  readonly freshness: FreshnessRule;
  readonly pause: Pause;
  readonly tradingState: () => TradingState;
}

export interface EvaluateRiskInput extends StrategyVersion {
  readonly runId: string;
  readonly symbol: string;
  readonly session: string;
  readonly slot: string;
  readonly contract: Contract;
  readonly decision: Decision;
}

export interface RiskProposal {
  readonly verdict: RiskVerdict;
  readonly riskInput: ObjectRef;
  readonly clientOrderId: string;
  /** The market instant from which the order may be admitted. */
  readonly admitAt: string;
}

/** An order is admitted no earlier than this after the open, when the first prices stand. */
const afterOpenMs = 5 * 60_000;

const plus = (instant: string, ms: number): string => new Date(Date.parse(instant) + ms).toISOString();

/** @throws RangeError outside the calendar. */
export function admissionInstant(calendar: Calendar, now: string): string {
  const open = calendar.openAt(now);
  const start = plus((open ?? calendar.nextOpen(now)).open, afterOpenMs);
  return start > now ? start : now;
}

/** What the calendar says of a moment; unknown where its table ends. */
export function marketFacts(
  calendar: Calendar,
  now: string,
  session: string,
  beforeOpen: boolean,
): MarketFacts {
  const known = whereKnown(() => ({ open: calendar.openAt(now), last: calendar.lastClosed(now) }));
  return {
    now,
    open: known === null ? null : known.open !== null,
    beforeOpen,
    lastBarSession: session,
    expectedBarSession: known?.last.date ?? null,
  };
}

function whereKnown(look: () => { open: Session | null; last: Session }) {
  try {
    return look();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export function createRiskActivities(deps: RiskDeps) {
  return {
    /** @throws BROKER_STATE_STALE (final), NO_QUOTE (retryable). */
    async evaluateRisk(input: EvaluateRiskInput): Promise<RiskProposal> {
      const { contract, decision, session } = input;
      const [settings, lastBarSession, quote] = await Promise.all([
        settingsOf(deps.strategies, input),
        lastDailySession(deps, input.runId),
        deps.broker.quote(contract),
      ]);
      const scores = await scoresToAgree(deps, settings, input.runId);
      const market = await deps.marketClock.now();
      const admitAt = admissionInstant(deps.calendar, market.now);
      const { intents, snapshot } = await freshState(deps, input.contract.conid);
      const stored: RiskInput = {
        format: 1,
        namesHolders: true,
        stage: 'proposal',
        decision,
        profile: settings.risk,
        ceiling: null,
        contract,
        quote,
        tradingState: deps.tradingState(),
        market: marketFacts(deps.calendar, market.now, lastBarSession, admitAt > market.now),
        snapshot: relevantSnapshot(snapshot, contract.conid),
        intents,
        ...(scores !== null && { timeframeScores: scores }),
      };
      const verdict = verdictOf(stored);
      const riskInput = await putJson(deps.objects, 'risk', stored);
      await deps.evidence.putRisk({ runId: input.runId, stage: 'proposal', verdict, facts: riskInput });
      const keys = { strategyId: input.strategyId, symbol: input.symbol, session, slot: input.slot };
      const id = clientOrderId({ accountId: deps.accountId, ...keys, leg: 'entry' });
      return { verdict, riskInput, clientOrderId: id, admitAt };
    },
  };
}

/** What the timeframes scored, where the definition has the gate that they agree; null without it. */
async function scoresToAgree(
  deps: RiskDeps,
  settings: StrategySettings,
  runId: string,
): Promise<readonly TimeframeScore[] | null> {
  const { gates } = await definitionOf(deps.definitions, settings);
  if (!gates.includes('timeframesAgree')) return null;
  const analyses = await deps.evidence.analyses(runId);
  return analyses.map((said) => ({ timeframe: said.timeframe, score: decidingScore(said) }));
}

/** The session of the last daily bar that the run decided on, whatever session the run is of; 'none' without one. */
async function lastDailySession(deps: RiskDeps, runId: string): Promise<string> {
  const daily = (await deps.evidence.bars(runId)).find(({ timeframe }) => timeframe === 'daily');
  return daily === undefined ? 'none' : sessionDateOf(daily.last, deps.calendar);
}

/**
 * Intents before the snapshot: a fill between the two reads is then counted twice, never not at all. With those whose legs are
 * unproven: they are Keel's own, should the snapshot have them.
 */
function freshState(deps: RiskDeps, conid: string) {
  return whenFresh(deps.freshness, deps.clock, deps.pause, async () => {
    const market = await deps.marketClock.now();
    const open = await deps.intents.listOpen(deps.mode, deps.accountId);
    const intents = [...open, ...(await deps.intents.listUnproven(deps.mode, deps.accountId, conid))];
    const snapshot = await deps.brokerState.latest(deps.mode, deps.accountId);
    const fresh = snapshot !== null && isFresh(snapshot, market, deps.freshness, deps.clock.now());
    return fresh ? { intents, snapshot } : 'stale';
  });
}
