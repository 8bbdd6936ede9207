// What an engineer reads in the Temporal Web UI without opening JSON: search attributes and the run's details.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Decision } from '../../domain/decision/decision.js';
import type { StrategyRunInput } from '../../contracts/wire/run.js';
import type { Ending } from './ending.js';

const decisionKey = defineSearchAttributeKey('KeelDecision', SearchAttributeType.KEYWORD);
const statusKey = defineSearchAttributeKey('KeelStatus', SearchAttributeType.KEYWORD);

export function showDecision(decision: Decision): void {
  upsertSearchAttributes([
    { key: decisionKey, value: decision.action },
    { key: statusKey, value: 'decided' },
  ]);
}

export function showEnd(input: StrategyRunInput, decision: Decision | null, ending: Ending): void {
  upsertSearchAttributes([{ key: statusKey, value: ending.outcome }]);
  const decided = decision === null ? 'no decision' : decision.action;
  setCurrentDetails(
    `**${input.symbol} ${input.session}: ${decided}, ${ending.outcome}** (${ending.code})\n\n${ending.message ?? ''}`,
  );
}
