// What makes a workflow definition sound, and what a strategy may ask of one. Called by the API before it stores either,
// and by the activity that opens a run.
import type { Timeframe } from '../market/bar.js';
import { ratio } from '../money/decimal.js';
import type { RiskProfile } from '../risk/types.js';
import {
  definitionSteps,
  mandatoryGates,
  type DefinitionLimits,
  type DefinitionStep,
  type WorkflowDefinition,
} from './definition.js';

/** A field of the definition (or of a strategy's settings) and what is wrong with it. */
export interface Fault {
  readonly field: string;
  readonly message: string;
}

/** What may be left out, and what a definition without it has to do instead. */
const optionalSteps: readonly DefinitionStep[] = ['renderChart', 'waitForMarket', 'orderLifecycle'];
const why: Partial<Record<DefinitionStep, string>> = {
  decide: 'without it there is no decision',
  evaluateRisk: 'the risk checks are a safety gate and can not be left out',
  closeRun: 'the end of a run is always written',
};

/** Every reason why a definition can not be used; empty when it is sound. */
export function definitionFaults(definition: WorkflowDefinition): readonly Fault[] {
  return [...stepFaults(definition), ...gateFaults(definition), ...timeframeFaults(definition.timeframes)];
}

function stepFaults({ steps, analyst }: WorkflowDefinition): Fault[] {
  const has = (step: DefinitionStep): boolean => steps.includes(step);
  const faults = definitionSteps
    .filter((step) => !has(step) && !optionalSteps.includes(step))
    .map((step) => fault('steps', `${step} is missing: ${why[step] ?? 'every run takes it'}`));
  const inOrder = definitionSteps.filter(has);
  if (inOrder.length === steps.length && inOrder.some((step, index) => step !== steps[index])) {
    faults.push(fault('steps', `are out of order; a run takes them as ${inOrder.join(', ')}`));
  }
  if (has('orderLifecycle') !== has('waitForMarket')) {
    const text = 'waitForMarket and orderLifecycle belong together: name both, or neither for advice only';
    faults.push(fault('steps', text));
  }
  if (!has('renderChart') && analyst !== 'rules') {
    faults.push(
      fault('steps', 'renderChart may be left out only with "analyst": "rules": a model reads the charts'),
    );
  }
  return faults;
}

const gateFaults = ({ gates }: WorkflowDefinition): Fault[] =>
  mandatoryGates
    .filter((gate) => !gates.includes(gate))
    .map((gate) => fault('gates', `${gate} is missing: safety gates can be added, never left out`));

const timeframeFaults = (timeframes: readonly Timeframe[]): Fault[] =>
  timeframes.includes('daily')
    ? []
    : [fault('timeframes', 'daily is missing: prices are decided, and bars found stale, on daily bars')];

const fault = (field: string, message: string): Fault => ({ field, message });

const ceilings = ['riskPerTrade', 'maximumPositionShare', 'priceCollar'] as const;
const floors = ['minimumRCoefficient', 'cashReserve'] as const;

/** Limits that would loosen what the platform allows. */
export function looseLimits(limits: DefinitionLimits, platform: RiskProfile): readonly Fault[] {
  const loose = (field: string, given: string, bound: string): Fault =>
    fault(
      `limits.${field}`,
      `${given} is looser than the platform's ${bound}; a definition can only tighten`,
    );
  return [
    ...ceilings.flatMap((field) => {
      const given = limits[field];
      return given !== undefined && ratio(given).gt(ratio(platform[field]))
        ? [loose(field, given, platform[field])]
        : [];
    }),
    ...floors.flatMap((field) => {
      const given = limits[field];
      return given !== undefined && ratio(given).lt(ratio(platform[field]))
        ? [loose(field, given, platform[field])]
        : [];
    }),
  ];
}

/** The stricter of a profile and a definition's limits, field by field. */
export function tightened(profile: RiskProfile, limits: DefinitionLimits): RiskProfile {
  const lower = (a: string, b: string = a): string => (ratio(b).lt(ratio(a)) ? b : a);
  const higher = (a: string, b: string = a): string => (ratio(b).gt(ratio(a)) ? b : a);
  return {
    ...profile,
    riskPerTrade: lower(profile.riskPerTrade, limits.riskPerTrade),
    maximumPositionShare: lower(profile.maximumPositionShare, limits.maximumPositionShare),
    priceCollar: lower(profile.priceCollar, limits.priceCollar),
    minimumRCoefficient: higher(profile.minimumRCoefficient, limits.minimumRCoefficient),
    cashReserve: higher(profile.cashReserve, limits.cashReserve),
    pyramiding: limits.pyramiding === false ? false : profile.pyramiding,
  };
}

/** What of a strategy a definition has a say in. */
export interface StrategyAsk {
  readonly timeframes: readonly Timeframe[];
  readonly analyst: WorkflowDefinition['analyst'];
  readonly risk: RiskProfile;
  readonly panel?: boolean;
}

/** Every way in which a strategy goes beyond its definition; empty when its runs may take it. */
export function beyondDefinition(ask: StrategyAsk, definition: WorkflowDefinition): readonly Fault[] {
  const { timeframes, analyst, limits, gates } = definition;
  const bound = tightened(ask.risk, limits);
  const foreign = ask.timeframes.filter((timeframe) => !timeframes.includes(timeframe));
  // A timeframe that nobody analyses can not disagree. Daily bars are asked for by every definition.
  const unasked = timeframes.filter(
    (timeframe) =>
      gates.includes('timeframesAgree') && timeframe !== 'daily' && !ask.timeframes.includes(timeframe),
  );
  return [
    ...foreign.map((timeframe) =>
      fault('timeframes', `${timeframe} is none of the definition's: ${timeframes.join(', ')}`),
    ),
    ...unasked.map((timeframe) =>
      fault(
        'timeframes',
        `${timeframe} is missing: by the gate timeframesAgree each of the definition's counts`,
      ),
    ),
    ...timeframeFaults(ask.timeframes),
    ...(analyst === 'auto' || analyst === ask.analyst
      ? []
      : [fault('analyst', `the definition has ${analyst}, and ${ask.analyst} was asked for`)]),
    ...(ask.panel === true && ask.analyst === 'rules'
      ? [fault('panel', 'a panel is of a model, and the analyst is rules: set it to false, or take a model')]
      : []),
    ...[...ceilings, ...floors]
      .filter((field) => bound[field] !== ask.risk[field])
      .map((field) =>
        fault(`risk.${field}`, `${ask.risk[field]} is looser than the definition's ${bound[field]}`),
      ),
    ...(ask.risk.pyramiding && !bound.pyramiding
      ? [fault('risk.pyramiding', 'the definition does not allow it')]
      : []),
  ];
}
