import { describe, expect, it } from 'vitest';
import type { LegState, OrderLifecycleInput } from '../contracts/wire/order.js';
import type { Decision } from '../domain/decision/decision.js';
import {
  definitionSteps,
  mandatoryGates,
  type DefinitionGate,
  type DefinitionStep,
} from '../domain/definition/definition.js';
import { defaultIndicators } from '../domain/indicators/defaults.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { buyDecision, riskProfile, sellDecision } from '../domain/testing/facts.js';
import type { AdmissionTransaction, BrokerSnapshot, IntentRow, RunRow } from '../ports/stores.js';
import { createAdmissionActivities } from './admission.js';
import { putJson } from './objects.js';
import type { RiskInput, TradingState } from './riskInput.js';
import { appleContract, listedStop, sentIntent } from './testing/orders.js';

const wall = Date.parse('2026-01-02T15:00:00.000Z');
const marketNow = '2014-07-08T13:35:00.000Z';
const legs: readonly LegState[] = [
  { role: 'stop', brokerOrderId: '2', status: 'WORKING', filledQuantity: '0' },
  { role: 'target', brokerOrderId: '3', status: 'WORKING', filledQuantity: '0' },
];
const intent: IntentRow = {
  ...sentIntent,
  clientOrderId: 'entry',
  runId: 'run0',
  state: 'FILLED',
  brokerOrderId: '1',
  filledQuantity: '10',
  averagePrice: '100',
  legs,
  updatedAt: new Date(wall).toISOString(),
};
const snapshot: BrokerSnapshot = {
  mode: 'simulated',
  accountId: 'DU1',
  readStartedAt: new Date(wall).toISOString(),
  marketTime: marketNow,
  marketStep: 1,
  account: { accountId: 'DU1', currency: 'USD', netLiquidation: '10000', settledCash: '9000' },
  positions: [{ conid: '265598', symbol: 'AAPL', quantity: '10', averageCost: '100', marketPrice: '100' }],
  orders: [],
  executions: [],
};
const proposal: RiskInput = {
  format: 1,
  stage: 'proposal',
  decision: sellDecision,
  profile: riskProfile,
  ceiling: null,
  contract: appleContract,
  quote: null,
  tradingState: 'ACTIVE',
  market: {
    now: marketNow,
    open: true,
    beforeOpen: false,
    lastBarSession: '2014-07-07',
    expectedBarSession: '2014-07-07',
  },
  snapshot,
  intents: [],
};

const buy: Decision = { ...buyDecision, stop: '90', target: '120', profitMargin: '0.2000' };

/** As a panel leaves it. */
const reviewedBuy = (stands: boolean): Decision => {
  const { entry, stop, target, rCoefficient, profitMargin } = buy;
  const verdict = {
    verdict: 'stands',
    soundness: 60,
    reasons: [],
    strongestObjection: '',
    flags: [],
  } as const;
  const proposed = { entry, stop, target, rCoefficient, profitMargin };
  const said = { numbersOnly: false, confidence: 50, horizonSessions: null };
  const lists = { agreements: [], conflicts: [], risks: [], checks: [] };
  return { ...buy, review: { ...said, ...lists, panel: { stands, proposed, reviews: [], verdict } } };
};

const settings = {
  symbols: ['AAPL'],
  timeframes: ['daily', 'weekly'],
  indicators: defaultIndicators,
  analyst: 'rules',
  risk: proposal.profile,
  slot: 'after-close',
  workflowId: 'careful',
  workflowVersion: 1,
} as const;
/** As an older worker opens it: it knows no definition. */
const runRow: RunRow = {
  id: 'run1',
  workflowId: 'run/1',
  mode: 'simulated',
  strategyId: 'demo',
  strategyVersion: 1,
  symbol: 'AAPL',
  session: '2014-07-07',
  slot: 'after-close',
  status: 'running',
  outcome: null,
  code: null,
  message: null,
  waitingFor: null,
  startedAt: marketNow,
  endedAt: null,
  restoredAt: null,
  ownerId: null,
  definitionId: null,
  definitionVersion: null,
};

/** The far sides of the ports: an account that holds ten shares with a stop and a target. */
async function account(
  far: {
    readonly tradingState?: TradingState;
    readonly stored?: IntentRow;
    readonly ownerGone?: boolean;
    readonly buys?: boolean;
    readonly steps?: readonly DefinitionStep[];
    readonly gates?: readonly DefinitionGate[];
    readonly timeframeScores?: RiskInput['timeframeScores'];
    readonly panel?: boolean;
    /** What the panel said of the buy; null where none was asked. */
    readonly stands?: boolean | null;
    /** The legs were taken for cancelled, so the entry is over for Keel, and the broker lists the stop again. */
    readonly back?: boolean;
  } = {},
) {
  const objects = new Map<string, Uint8Array>();
  const cancelled: string[] = [];
  const inserted: string[] = [];
  const store = {
    ensureBucket: () => Promise.resolve(),
    put: (key: string, bytes: Uint8Array) => Promise.resolve(void objects.set(key, bytes)),
    get: (key: string) => Promise.resolve(objects.get(key) ?? new Uint8Array()),
    delete: () => Promise.resolve(),
    has: (key: string) => Promise.resolve(objects.has(key)),
    stat: () => Promise.resolve(null),
    list: () => {
      throw new Error('nobody lists');
    },
    presignedUrl: () => Promise.resolve(''),
  };
  const held = {
    ...snapshot,
    ...(far.buys && { positions: [] }),
    ...(far.back && { orders: [listedStop] }),
  };
  const { timeframeScores, stands = null } = far;
  const weighed: RiskInput = {
    ...proposal,
    ...(far.buys && { decision: stands === null ? buy : reviewedBuy(stands) }),
    ...(timeframeScores !== undefined && { timeframeScores }),
  };
  const proposed = far.buys
    ? ({ side: 'BUY', quantity: '10', limit: '100', stop: '90', target: '120' } as const)
    : ({ side: 'SELL', quantity: '10', limit: null, stop: null, target: null } as const);
  const over: readonly IntentRow[] = far.back
    ? [{ ...intent, legs: legs.map((leg) => ({ ...leg, status: 'CANCELLED', unproven: true })) }]
    : [];
  const open = (): readonly IntentRow[] =>
    far.buys || far.back
      ? []
      : [
          {
            ...intent,
            legs: legs.map((leg) =>
              cancelled.includes(leg.brokerOrderId) ? { ...leg, status: 'CANCELLED' } : leg,
            ),
          },
        ];
  const tx: AdmissionTransaction = {
    snapshot: () => Promise.resolve(held),
    ownerMayTrade: () => Promise.resolve(!far.ownerGone),
    openIntents: () => Promise.resolve(open()),
    intent: () => Promise.resolve(far.stored ?? null),
    insertIntent: ({ clientOrderId }) => Promise.resolve(void inserted.push(clientOrderId)),
    putRisk: () => Promise.resolve(),
  };
  const deps = {
    mode: 'simulated',
    accountId: 'DU1',
    broker: {
      quote: () => Promise.resolve({ last: '100', state: 'open' as const }),
      cancelOrder: (_account: string, id: string) => {
        cancelled.push(id);
        return Promise.resolve('asked' as const);
      },
    },
    objects: store,
    intents: {
      withAccountLock: <T>(_mode: string, _account: string, work: (tx: AdmissionTransaction) => Promise<T>) =>
        work(tx),
      listOpen: () => Promise.resolve(open()),
      listUnproven: () => Promise.resolve(over),
    },
    runs: { get: () => Promise.resolve(runRow) },
    strategies: {
      version: () =>
        Promise.resolve(far.panel ? ({ ...settings, analyst: 'openai', panel: true } as const) : settings),
    },
    definitions: {
      version: (id: string, version: number) =>
        Promise.resolve({
          id,
          version,
          steps: far.steps ?? definitionSteps,
          gates: far.gates ?? mandatoryGates,
          timeframes: settings.timeframes,
          analyst: 'auto' as const,
          limits: {},
          createdBy: '',
          createdAt: '',
        }),
    },
    brokerState: {
      glance: () => Promise.resolve({ ...snapshot, inFlight: false }),
      latest: () => Promise.resolve(held),
    },
    clock: { now: () => wall + 50_000 },
    marketClock: { now: () => Promise.resolve({ now: marketNow, step: 1 }) },
    calendar: createNyseCalendar(),
    freshness: { snapshotMaxAgeMs: 60_000, waitMs: 0, lookMs: 1 },
    pause: () => Promise.resolve(),
    tradingState: () => far.tradingState ?? 'ACTIVE',
  } as const;
  const input: OrderLifecycleInput = {
    mode: 'simulated',
    accountId: 'DU1',
    runId: 'run1',
    runWorkflowId: 'run/1',
    strategyId: 'demo',
    symbol: 'AAPL',
    clientOrderId: 'exit',
    riskInput: await putJson(store, 'risk', weighed),
    proposed,
  };
  return { activities: createAdmissionActivities(deps), input, cancelled, inserted };
}

describe('a closing sell', () => {
  it('is rehearsed before any leg is cancelled, so that a refusal leaves the protection as it is', async () => {
    const halted = await account({ tradingState: 'HALTED' });
    expect(await halted.activities.rehearseSell(halted.input)).toMatchObject({
      kind: 'refused',
      code: 'TRADING_STATE',
    });
    const { activities, input, cancelled } = await account();
    expect(await activities.rehearseSell(input)).toEqual({ kind: 'sound' });
    expect([...halted.cancelled, ...cancelled]).toEqual([]);
  });
  it('is not refused for a leg of its own that was taken for cancelled and is listed again', async () => {
    const { activities, input } = await account({ back: true });
    expect(await activities.rehearseSell(input)).toEqual({ kind: 'sound' });
    // Until it is cancelled.
    expect(await activities.admitOrder(input)).toMatchObject({ kind: 'refused' });
  });
  it('is admitted once its legs are cancelled', async () => {
    const { activities, input, cancelled, inserted } = await account();
    await activities.releaseProtection(input);
    expect(cancelled).toEqual(['2', '3']);
    const sendBy = new Date(wall + 110_000).toISOString();
    expect(await activities.admitOrder(input)).toMatchObject({ kind: 'admitted', quantity: '10', sendBy });
    expect(inserted).toEqual(['exit']);
  });
});

describe('a run whose owner may not trade any more', () => {
  it('buys nothing, and still sells', async () => {
    const buyer = await account({ buys: true });
    expect(await buyer.activities.admitOrder(buyer.input)).toMatchObject({ kind: 'admitted' });
    const gone = await account({ buys: true, ownerGone: true });
    expect(await gone.activities.admitOrder(gone.input)).toMatchObject({
      kind: 'refused',
      code: 'OWNER_INACTIVE',
    });
    expect(gone.inserted).toEqual([]);
    const seller = await account({ ownerGone: true });
    expect(await seller.activities.admitOrder(seller.input)).toMatchObject({ kind: 'admitted' });
  });
});

describe('an admission that is repeated because its answer was lost', () => {
  it('gives the stored order no more time to be sent than the facts it was weighed on', async () => {
    const stored: IntentRow = { ...intent, clientOrderId: 'exit', state: 'INTENT', legs: [] };
    const { activities, input, inserted } = await account({ stored });
    const sendBy = new Date(wall + 60_000).toISOString();
    expect(await activities.admitOrder(input)).toMatchObject({ kind: 'admitted', sendBy });
    expect(inserted).toEqual([]);
  });
});

describe('an order whose run was begun by a worker that knows no definitions', () => {
  const advice = definitionSteps.filter((step) => step !== 'waitForMarket' && step !== 'orderLifecycle');
  const gates = [...mandatoryGates, 'timeframesAgree'] as const;

  it('is not sent where the definition gives advice only, and no leg is cancelled for it', async () => {
    const buyer = await account({ buys: true, steps: advice });
    const refused = { code: 'ADVICE_ONLY', errorClass: 'final' };
    await expect(buyer.activities.admitOrder(buyer.input)).rejects.toMatchObject(refused);
    const seller = await account({ steps: advice });
    await expect(seller.activities.rehearseSell(seller.input)).rejects.toMatchObject(refused);
    await expect(seller.activities.admitOrder(seller.input)).rejects.toMatchObject(refused);
    expect([...buyer.inserted, ...seller.inserted, ...seller.cancelled]).toEqual([]);
  });

  it('buys nothing where timeframes must agree and no scores were weighed; a sell closes all the same', async () => {
    const buyer = await account({ buys: true, gates });
    await expect(buyer.activities.admitOrder(buyer.input)).rejects.toMatchObject({
      code: 'SCORES_MISSING',
      errorClass: 'final',
    });
    expect(buyer.inserted).toEqual([]);
    const timeframeScores = [{ timeframe: 'daily', score: 0.6 }] as const;
    const weighed = await account({ buys: true, gates, timeframeScores });
    expect(await weighed.activities.admitOrder(weighed.input)).toMatchObject({ kind: 'admitted' });
    const seller = await account({ gates });
    expect(await seller.activities.admitOrder(seller.input)).toMatchObject({ kind: 'admitted' });
  });

  it('buys nothing where a panel reviews every buy and none has let this one stand; a sell closes all the same', async () => {
    for (const stands of [null, false]) {
      const buyer = await account({ buys: true, panel: true, stands });
      const refused = { code: 'PANEL_MISSING', errorClass: 'final' };
      await expect(buyer.activities.admitOrder(buyer.input)).rejects.toMatchObject(refused);
      expect(buyer.inserted).toEqual([]);
    }
    const reviewed = await account({ buys: true, panel: true, stands: true });
    expect(await reviewed.activities.admitOrder(reviewed.input)).toMatchObject({ kind: 'admitted' });
    const seller = await account({ panel: true });
    expect(await seller.activities.admitOrder(seller.input)).toMatchObject({ kind: 'admitted' });
  });
});
