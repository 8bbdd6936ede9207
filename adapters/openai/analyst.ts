// The analyst that asks a model: one call for each timeframe, then one that consolidates and decides. What the model says
// is data; what it claims is checked against the bars, and code makes the decision of it.
import { checkProposal, unknownPrices } from '../../domain/decision/checks.js';
import type { Analysis, Proposal } from '../../domain/decision/decision.js';
import type { DecisionCheck, Reading } from '../../domain/decision/reading.js';
import type {
  AnalystCall,
  AnalystOutcome,
  AnalystPort,
  AnalyzeInput,
  DecideInput,
  TimeframeInput,
} from '../../ports/analyst.js';
import type { Timeframe } from '../../domain/market/bar.js';
import { KeelError } from '../../ports/errors.js';
import {
  decisionAnswer,
  parseAnswer,
  readingAnswer,
  strictSchema,
  type DecisionAnswer,
  type Parsed,
  type ReadingAnswer,
} from './answers.js';
import type { Ask } from './ask.js';
import { converse } from './converse.js';
import { dataOf, type TimeframeData } from './data.js';
import { readAddedPrompts, readPrompts, versionOf, type AddedPrompts, type Prompts } from './prompts.js';
import type { ModelRequest, Picture, Prompt } from './request.js';
import { nameOf, quoteData } from './untrusted.js';

export const analystName = 'openai';

/** Raised with every change of this folder or of the checks that may make another decision of the same answers. */
const codeVersion = '1';

export interface ModelAnalystOptions {
  /** For reading timeframes and for deciding; a replay answers from what is stored. */
  readonly askReading: (call: AnalystCall) => Ask;
  readonly askDecision: (call: AnalystCall) => Ask;
}

export function createModelAnalyst(options: ModelAnalystOptions): AnalystPort {
  const prompts = readPrompts();
  const added = readAddedPrompts();
  const schemas = { reading: strictSchema(readingAnswer), decision: strictSchema(decisionAnswer) };
  const version = versionOf(codeVersion, prompts, schemas);
  return {
    name: analystName,
    version,
    added: { monthly: versionOfPrompt(added.monthly) },
    analyze: (input) => analyze(options, { ...prompts, ...added }, schemas.reading, input),
    decide: (input) => decide(options, prompts, schemas.decision, input),
  };
}

const versionOfPrompt = ({ name, sha256 }: Prompt): string => `${name}-${sha256.slice(0, 12)}`;

type Schema = ModelRequest['schema'];

async function analyze(
  { askReading }: ModelAnalystOptions,
  prompts: Pick<Prompts & AddedPrompts, Timeframe>,
  schema: Schema,
  input: AnalyzeInput,
): Promise<AnalystOutcome<Analysis>> {
  const data = dataOf(input);
  const { text, sha256 } = quoteData({
    symbol: nameOf(input.symbol),
    ...data.shown,
  });
  const request: ModelRequest = {
    purpose: input.timeframe,
    prompts: [prompts[input.timeframe]],
    text: `The ${input.timeframe} chart and its numbers.\n\n${text}`,
    inputSha256: sha256,
    pictures: [pictureOf(input)],
    schemaName: 'reading',
    schema,
    numbersOnly: false,
    repair: null,
  };
  const result = await converse(askReading(input.call), request, (answer) =>
    parseAnswer(readingAnswer, answer),
  );
  if (result.kind === 'failed') return result;
  return { kind: 'ok', value: analysisOf(input, data, result.value, result.numbersOnly) };
}

/** Encoded at most once, however often it is sent. */
function pictureOf({ timeframe, chart, readPicture }: TimeframeInput): Picture {
  if (chart === null)
    throw new KeelError('CHART_MISSING', `the run drew no ${timeframe} chart for the model`);
  let url: Promise<string> | null = null;
  const encode = async (): Promise<string> =>
    `data:image/png;base64,${Buffer.from(await readPicture()).toString('base64')}`;
  return { label: `${timeframe} chart`, object: chart, dataUrl: () => (url ??= encode()) };
}

function analysisOf(
  input: AnalyzeInput,
  data: TimeframeData,
  answer: ReadingAnswer,
  numbersOnly: boolean,
): Analysis {
  const last = input.bars.at(-1);
  const low = Math.min(...input.bars.map((bar) => bar.low));
  const high = Math.max(...input.bars.map((bar) => bar.high));
  const within = (level: number): boolean => level >= low * 0.5 && level <= high * 1.5;
  const support = answer.support.filter(within);
  const resistance = answer.resistance.filter(within);
  const invented = [...answer.support, ...answer.resistance].filter((level) => !within(level));
  const words = [answer.summary, answer.invalidation, ...answer.signals.map(({ evidence }) => evidence)].join(
    ' ',
  );
  const claimed = unknownPrices(words, [...data.prices, ...support, ...resistance], data.close);
  const flags = [
    ...invented.map((level) => `level ${level} lies far outside the bars and is left out`),
    ...claimed.map((price) => `${price} is no price of the bars that were given`),
  ];
  const reading: Reading = { ...answer, support, resistance, numbersOnly, flags };
  const parts = partsOf(answer);
  return {
    timeframe: input.timeframe,
    analyst: analystName,
    score: 0.5 * parts.trend + 0.3 * parts.momentum + 0.2 * parts.levels,
    parts,
    close: data.close,
    atr: data.atr,
    support: support[0] ?? null,
    resistance: resistance[0] ?? null,
    lastBar: last?.time ?? '',
    barCount: input.bars.length,
    reasons: reasonsOf(reading),
    reading,
  };
}

function partsOf(answer: ReadingAnswer): Analysis['parts'] {
  const votes = answer.signals.map(({ direction }) => ({ bullish: 1, bearish: -1, neutral: 0 })[direction]);
  return {
    trend: { up: 1, down: -1, sideways: 0 }[answer.trend],
    momentum: { rising: 1, falling: -1, flat: 0 }[answer.momentum],
    volatility: 0,
    levels: votes.length === 0 ? 0 : votes.reduce<number>((sum, vote) => sum + vote, 0) / votes.length,
  };
}

const reasonsOf = (reading: Reading): string[] => [
  reading.summary,
  `trend ${reading.trend}, momentum ${reading.momentum}, volatility ${reading.volatility}`,
  ...reading.signals.map(({ name, direction, evidence }) => `${name} (${direction}): ${evidence}`),
  `wrong if: ${reading.invalidation}`,
  ...(reading.numbersOnly ? ['read from numbers only: the model takes no pictures'] : []),
  ...reading.flags.map((flag) => `flagged: ${flag}`),
];

async function decide(
  { askDecision }: ModelAnalystOptions,
  prompts: Prompts,
  schema: Schema,
  input: DecideInput,
): Promise<AnalystOutcome<Proposal>> {
  const data = input.timeframes.map(dataOf);
  const { text, sha256 } = quoteData({
    symbol: nameOf(input.symbol),
    name: nameOf(input.name),
    limits: input.limits,
    readings: input.analyses.map(({ timeframe, reading }) => ({ timeframe, ...reading })),
    timeframes: data.map(({ shown }) => shown),
  });
  const request: ModelRequest = {
    purpose: 'decision',
    prompts: [prompts.consolidation, prompts.decision],
    text: `The readings, the charts and their numbers.\n\n${text}`,
    inputSha256: sha256,
    pictures: input.timeframes.map(pictureOf),
    schemaName: 'decision',
    schema,
    numbersOnly: false,
    repair: null,
  };
  const read = (answer: string): Parsed<DecisionAnswer> => held(parseAnswer(decisionAnswer, answer), input);
  const result = await converse(askDecision(input.call), request, read);
  if (result.kind === 'failed') return result;
  return { kind: 'ok', value: proposalOf(input, data, result.value, result.numbersOnly) };
}

/** An answer that code would refuse is complained about as one of the wrong shape is. */
function held(parsed: Parsed<DecisionAnswer>, input: DecideInput): Parsed<DecisionAnswer> {
  if (parsed.kind === 'bad') return parsed;
  const complaints = checkProposal(pricesOf(parsed.value), input.analyses, input.limits)
    .filter(({ passed, blocking }) => blocking && !passed)
    .map(({ code, text }) => `${code}: ${text}`);
  return complaints.length === 0 ? parsed : { kind: 'bad', outcome: 'schema_invalid', complaints };
}

const pricesOf = ({ decision }: DecisionAnswer): Proposal => {
  const { action, entry, stop, target, rationale } = decision;
  return { action, entry, stop, target, rationale };
};

function proposalOf(
  input: DecideInput,
  data: readonly TimeframeData[],
  { consolidation, decision }: DecisionAnswer,
  numbersOnly: boolean,
): Proposal {
  const { entry, stop, target, rationale, confidence, horizonSessions, risks } = decision;
  const levels = input.analyses.flatMap(({ reading }) => [
    ...(reading?.support ?? []),
    ...(reading?.resistance ?? []),
  ]);
  const own = [entry, stop, target].filter((value) => value !== null);
  const known = [...data.flatMap(({ prices }) => prices), ...levels, ...own];
  const claimed = unknownPrices([rationale, ...risks].join(' '), known, input.limits.close);
  const claims: DecisionCheck = {
    code: 'CLAIMED_NUMBERS',
    passed: claimed.length === 0,
    blocking: false,
    text:
      claimed.length === 0
        ? 'every price in the rationale is one that was given'
        : `no price that was given: ${claimed.slice(0, 10).join(', ')}`,
  };
  const prices = pricesOf({ consolidation, decision });
  return {
    ...prices,
    review: {
      numbersOnly,
      confidence,
      horizonSessions,
      agreements: consolidation.agreements,
      conflicts: consolidation.conflicts,
      risks,
      checks: [...checkProposal(prices, input.analyses, input.limits), claims],
    },
  };
}
