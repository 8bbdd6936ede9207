// The prompts, as committed files. A changed prompt is a new file with the next number: old runs name the old one.
import { readFileSync } from 'node:fs';
import { timeframeRules, type Timeframe } from '../../domain/market/bar.js';
import { sha256Of, type Prompt } from './request.js';

const files = {
  daily: timeframeRules.daily.prompt,
  weekly: timeframeRules.weekly.prompt,
  consolidation: 'consolidation-1',
  decision: 'decision-1',
} as const;

/** Of the panel, apart: a change of one leaves decisions without a panel as they were. */
const panelFiles = {
  panel: 'panel-1',
  bull: 'bull-1',
  bear: 'bear-1',
  risk: 'risk-1',
  reviewer: 'reviewer-1',
  judge: 'judge-1',
} as const;

export type Prompts = Readonly<Record<keyof typeof files, Prompt>>;
export type AddedPrompts = Readonly<Record<Exclude<Timeframe, keyof typeof files>, Prompt>>;
export type PanelPrompts = Readonly<Record<keyof typeof panelFiles, Prompt>>;

function readPrompt(name: string): Prompt {
  const text = readFileSync(new URL(`prompts/${name}.txt`, import.meta.url), 'utf8');
  return { name, sha256: sha256Of(text), text };
}

/** Read once, when an analyst is made. */
export const readPrompts = (): Prompts => ({
  daily: readPrompt(files.daily),
  weekly: readPrompt(files.weekly),
  consolidation: readPrompt(files.consolidation),
  decision: readPrompt(files.decision),
});

/** Of a timeframe that a strategy adds, apart as well: decisions without it stay as they were. */
export const readAddedPrompts = (): AddedPrompts => ({
  monthly: readPrompt(timeframeRules.monthly.prompt),
});

export const readPanelPrompts = (): PanelPrompts => ({
  panel: readPrompt(panelFiles.panel),
  bull: readPrompt(panelFiles.bull),
  bear: readPrompt(panelFiles.bear),
  risk: readPrompt(panelFiles.risk),
  reviewer: readPrompt(panelFiles.reviewer),
  judge: readPrompt(panelFiles.judge),
});

/** Of what decides: code, prompts and schemas. Another one means that the same answers may make another decision. */
export const versionOf = (code: string, prompts: Prompts | PanelPrompts, schemas: object): string =>
  [code, sha256Of(JSON.stringify([prompts, schemas])).slice(0, 12)].join('-');
