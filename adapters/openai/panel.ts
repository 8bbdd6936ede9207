// The panel that reviews a proposed buy: a bull, a bear and a reviewer of risk, who do not know of each other, and a judge who
// hears all three. They are given numbers and words and no pictures: what was read in those is among the readings, and the
// reservation of seven calls has to fit the cap of a run. Made by worker/model.ts, and by replay.ts.
import { unknownPrices } from '../../domain/decision/checks.js';
import type { Decision } from '../../domain/decision/decision.js';
import { panelRoles } from '../../domain/decision/quorum.js';
import type { PanelReview, PanelRole } from '../../domain/decision/reading.js';
import type { DecideInput } from '../../ports/analyst.js';
import type { PanelPort } from '../../ports/panel.js';
import type { Afford } from './afford.js';
import type { ModelAnalystOptions } from './analyst.js';
import { parseAnswer, reviewAnswer, strictSchema, verdictAnswer } from './answers.js';
import { converse } from './converse.js';
import { dataOf } from './data.js';
import { readPanelPrompts, versionOf, type PanelPrompts } from './prompts.js';
import type { ModelRequest } from './request.js';
import { nameOf, quoteData } from './untrusted.js';

/** Raised with every change of this file, or of the quorum, that may make another decision of the same answers. */
const codeVersion = '1';

interface ModelPanelOptions extends Pick<ModelAnalystOptions, 'askDecision'> {
  readonly afford: Afford;
}

export function createModelPanel({ askDecision, afford }: ModelPanelOptions): PanelPort {
  const prompts = readPanelPrompts();
  const schemas = { review: strictSchema(reviewAnswer), verdict: strictSchema(verdictAnswer) };
  const version = versionOf(codeVersion, prompts, schemas);
  const made = { prompts, schemas };
  return {
    version,
    afford: async (input) => {
      const { shown } = factsOf(input);
      const reviews = panelRoles.map((role) => reviewRequest(made, role, shown));
      const message = await afford(input.call, [...reviews, verdictRequest(made, longest, shown)]);
      return message === null
        ? { kind: 'ok', value: null }
        : { kind: 'failed', code: 'MODEL_BUDGET', message };
    },
    review: async (input) => {
      const { shown, known } = factsOf(input);
      const request = reviewRequest(made, input.role, shown);
      const result = await converse(askDecision(input.call), request, (answer) =>
        parseAnswer(reviewAnswer, answer),
      );
      if (result.kind === 'failed') return result;
      const { argument, points, soundness } = result.value;
      const words = [argument, ...points.flatMap(({ claim, evidence }) => [claim, evidence])];
      const flags = flagsOf(words, known, input);
      return { kind: 'ok', value: { role: input.role, argument, points, soundness, flags } };
    },
    judge: async (input) => {
      const { shown, known } = factsOf(input);
      const request = verdictRequest(made, input.reviews, shown);
      const result = await converse(askDecision(input.call), request, (answer) =>
        parseAnswer(verdictAnswer, answer),
      );
      if (result.kind === 'failed') return result;
      const { verdict, soundness, reasons, strongestObjection } = result.value;
      const flags = flagsOf([...reasons, strongestObjection], known, input);
      return { kind: 'ok', value: { verdict, soundness, reasons, strongestObjection, flags } };
    },
  };
}

interface Made {
  readonly prompts: PanelPrompts;
  readonly schemas: Readonly<Record<'review' | 'verdict', ModelRequest['schema']>>;
}

function reviewRequest({ prompts, schemas }: Made, role: PanelRole, shown: object): ModelRequest {
  const { text, sha256 } = quoteData(shown);
  return {
    ...bare,
    purpose: role,
    prompts: [prompts.panel, prompts[role], prompts.reviewer],
    text: `The proposed buy, what it rests on, and the numbers.\n\n${text}`,
    inputSha256: sha256,
    schemaName: 'review',
    schema: schemas.review,
  };
}

function verdictRequest(
  { prompts, schemas }: Made,
  reviews: readonly PanelReview[],
  shown: object,
): ModelRequest {
  const { text, sha256 } = quoteData({ ...shown, reviews });
  return {
    ...bare,
    purpose: 'judge',
    prompts: [prompts.panel, prompts.judge],
    text: `The proposed buy, what the panel says of it, and the numbers.\n\n${text}`,
    inputSha256: sha256,
    schemaName: 'verdict',
    schema: schemas.verdict,
  };
}

/** Reviews as long as their schema lets them be, in plain letters: what the judge may have to read. */
const longest: readonly PanelReview[] = panelRoles.map((role) => ({
  role,
  argument: 'x'.repeat(800),
  points: Array.from({ length: 4 }, () => ({ claim: 'x'.repeat(300), evidence: 'x'.repeat(300) })),
  soundness: 100,
  flags: [],
}));

const bare = { pictures: [], numbersOnly: false, repair: null } as const;

/** What everybody on the panel is given, and every price in it. */
function factsOf(input: DecideInput & { readonly proposed: Decision }) {
  const { proposed, limits, analyses } = input;
  const data = input.timeframes.map(dataOf);
  const { entry, stop, target, rCoefficient, profitMargin, rationale, review: made } = proposed;
  const shown = {
    symbol: nameOf(input.symbol),
    name: nameOf(input.name),
    limits,
    proposal: {
      ...{ action: proposed.action, entry, stop, target, rCoefficient, profitMargin, rationale },
      horizonSessions: made?.horizonSessions ?? null,
      agreements: made?.agreements ?? [],
      conflicts: made?.conflicts ?? [],
      risks: made?.risks ?? [],
    },
    readings: analyses.map(({ timeframe, reading }) => ({ timeframe, ...reading })),
    timeframes: data.map((each) => each.shown),
  };
  const own = [entry, stop, target].flatMap((value) => (value === null ? [] : [Number(value)]));
  const levels = analyses.flatMap(({ reading }) => [
    ...(reading?.support ?? []),
    ...(reading?.resistance ?? []),
  ]);
  return { shown, known: [...data.flatMap(({ prices }) => prices), ...levels, ...own, limits.close] };
}

const flagsOf = (words: readonly string[], known: readonly number[], { limits }: DecideInput): string[] =>
  unknownPrices(words.join(' '), known, limits.close)
    .slice(0, 10)
    .map((price) => `${price} is no price that was given`);
