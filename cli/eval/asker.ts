// Who is asked in an evaluation: the rules, or a model with its answers kept in a folder. Called by cli/commands/eval.ts.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createRender } from '../../adapters/charts/render.js';
import { createFilesystemObjectStore } from '../../adapters/filesystem/objectStore.js';
import { createModelAnalyst } from '../../adapters/openai/analyst.js';
import { createAsk } from '../../adapters/openai/ask.js';
import type { ModelProfile } from '../../adapters/openai/profile.js';
import { createRulesAnalyst } from '../../adapters/rules/analyst.js';
import type { Said } from '../../domain/evaluation/measure.js';
import { nameless, type View } from '../../domain/evaluation/view.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { timeframeRules } from '../../domain/market/bar.js';
import type { AnalystPort } from '../../ports/analyst.js';
import type { Clock } from '../../ports/clocks.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import { plainReason, Refusal } from '../csvFile.js';
import { writeFileAtomically } from '../supervisor/records.js';
import { evalRunId, openLedger, sha256, type Spent } from './ledger.js';
import { opinionOf, type Question } from './opinion.js';

export interface Where {
  readonly series: string;
  readonly date: string;
  readonly chart: 'plain' | 'mirrored';
  /** 0, or the number of the repetition. */
  readonly turn: number;
}

/** What a report says of a model. */
export interface ModelFacts {
  readonly profile: string;
  readonly model: string;
  readonly api: string;
  readonly pictures: boolean;
  readonly priceDate: string;
  readonly nameless: boolean;
}

export interface Asker {
  readonly name: string;
  readonly version: string;
  readonly model: ModelFacts | null;
  ask(view: View, where: Where): Promise<Said>;
  readonly spentBy: (matches: (runId: string) => boolean) => Spent;
}

type Rules = Question['rules'];

/** The analyst looks at no picture. */
const noPicture: Question['draw'] = () =>
  Promise.resolve({
    object: { key: 'none', sha256: '', bytes: 0, width: 0, height: 0 },
    png: new Uint8Array(),
  });

export function askRules(rules: Rules): Asker {
  const analyst: AnalystPort = createRulesAnalyst();
  return {
    name: analyst.name,
    version: analyst.version,
    model: null,
    ask: (view, { series }) => opinionOf({ analyst, symbol: series, view, call, rules, draw: noPicture }),
    spentBy: () => ({ calls: 0, usd: '0' }),
  };
}

const call = { runId: '', strategyId: 'eval' };

export interface ModelOptions {
  readonly profile: ModelProfile;
  readonly priceDate: string;
  /** USD for everything in the folder; a call that could pass it is not made. */
  readonly budget: string;
  /** Of answers, and of what was asked. */
  readonly folder: string;
  /** No call is made: only what the folder has is answered. */
  readonly recordedOnly: boolean;
  /** Whether the model is told symbol, dates and prices as they were. */
  readonly named: boolean;
  readonly rules: Rules;
  readonly clock: Clock;
}

/** @throws Refusal where the folder has the answers of another profile, or of this one asked otherwise */
export async function askModel(options: ModelOptions): Promise<Asker> {
  const { profile, folder, recordedOnly, named, rules, clock, budget, priceDate } = options;
  const ledger = openLedger(folder, recordedOnly);
  const objects = createFilesystemObjectStore({ directory: path.join(folder, 'objects') });
  const caps = { run: budget, day: budget, month: budget };
  // Whoever asks nobody writes nothing either.
  const kept = recordedOnly ? { get: (key: string) => objects.get(key), put: writeNothing } : objects;
  const deps = { conversations: ledger.conversations, objects: kept, clock, caps, priceDate };
  const ask = (asked: Question['call']) => createAsk(deps, [profile], asked);
  const analyst = createModelAnalyst({ askReading: ask, askDecision: ask });
  const draw = profile.vision ? createDraw(recordedOnly ? null : objects) : noPicture;
  if (!recordedOnly) {
    refuseOthers(folder, profile);
    await objects.ensureBucket();
    writeProfile(folder, profile, priceDate);
  }
  return {
    name: analyst.name,
    version: analyst.version,
    model: {
      ...{ profile: profile.name, model: profile.model, api: profile.api, pictures: profile.vision },
      ...{ priceDate, nameless: !named },
    },
    ask: (view, { series, date, chart, turn }) =>
      opinionOf({
        analyst,
        symbol: named ? series : 'ASSET',
        view: named ? view : nameless(view),
        call: { runId: evalRunId(series, date, chart, turn), strategyId: 'eval' },
        rules,
        draw,
      }),
    spentBy: ledger.spentBy,
  };
}

const writeNothing = (): Promise<void> => Promise.resolve();

/** @param objects where pictures are kept; null for nowhere */
function createDraw(objects: Pick<ObjectStorePort, 'put'> | null): Question['draw'] {
  const render = createRender();
  return async (timeframe, bars) => {
    const { window } = timeframeRules[timeframe];
    const request = {
      symbol: 'ASSET',
      timeframe,
      bars,
      window,
      indicators: defaultIndicators,
      source: 'keel eval',
    };
    const { png, width, height } = await render(request);
    const hash = sha256(png);
    const object = { key: `charts/${hash}.png`, sha256: hash, bytes: png.byteLength, width, height };
    await objects?.put(object.key, png, 'image/png');
    return { object, png };
  };
}

const profileFile = (folder: string): string => path.join(folder, 'profile.json');

/** Whom the answers of a folder are from, without what opens doors. */
function writeProfile(folder: string, profile: ModelProfile, priceDate: string): void {
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ ...profile, apiKey: '', priceDate }, null, 2);
  writeFileAtomically(profileFile(folder), `${text}\n`, 0o644);
}

/** @throws Refusal when the folder has none that can be read */
export function readProfile(folder: string): { readonly profile: ModelProfile; readonly priceDate: string } {
  const file = profileFile(folder);
  try {
    const { priceDate, ...profile } = JSON.parse(readFileSync(file, 'utf8')) as ModelProfile & {
      priceDate: string;
    };
    return { profile, priceDate };
  } catch (error) {
    throw new Refusal([`${file} can not be read: ${plainReason(error)}`]);
  }
}

/** What makes another question of it, or another answer. */
const asks = ['name', 'model', 'baseUrl', 'api', 'vision', 'maxOutputTokens', 'pictureDetail'] as const;

/** A folder is of one profile: `--recorded` replays its answers, and its budget is theirs. */
function refuseOthers(folder: string, profile: ModelProfile): void {
  const file = profileFile(folder);
  if (!existsSync(file)) return;
  const { profile: first } = readProfile(folder);
  const differs = asks.filter((each) => first[each] !== profile[each]);
  if (differs.length === 0) return;
  const told = differs.map((each) => `${each} ${String(first[each])}, not ${String(profile[each])}`);
  throw new Refusal([
    `${file}: the answers of this folder were asked with ${told.join('; ')}: give each profile a folder of its own, with --answers or --out`,
  ]);
}
