// What an engineer reads in the Temporal Web UI without opening JSON: search attributes and the run's details.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import type { RunSpending, StrategyRunInput } from '../../contracts/wire/run.js';
import { decisionDetails, endDetails, readingDetails } from './details.js';
import type { Ending } from './ending.js';

const decisionKey = defineSearchAttributeKey('KeelDecision', SearchAttributeType.KEYWORD);
const statusKey = defineSearchAttributeKey('KeelStatus', SearchAttributeType.KEYWORD);

/** Sets no command: a history does not know of details. */
export function showReadings(input: StrategyRunInput, analyses: readonly Analysis[]): void {
  setCurrentDetails(readingDetails(input, analyses));
}

export function showDecision(input: StrategyRunInput, decision: Decision): void {
  upsertSearchAttributes([
    { key: decisionKey, value: decision.action },
    { key: statusKey, value: 'decided' },
  ]);
  setCurrentDetails(decisionDetails(input, decision));
}

export function showEnd(input: StrategyRunInput, decision: Decision | null, ending: Ending): void {
  upsertSearchAttributes([{ key: statusKey, value: ending.outcome }]);
  setCurrentDetails(endDetails(input, decision, ending));
}

/** @param spending null where no model was asked; absent in histories recorded before it was told */
export function showSpending(
  input: StrategyRunInput,
  decision: Decision | null,
  ending: Ending,
  spending?: RunSpending | null,
): void {
  setCurrentDetails(endDetails(input, decision, ending, spending ?? null));
}
