// Finds out what a model can do by asking it: a tiny schema, and a picture of two colours, over each API. Called by
// `keel doctor --llm`. It says what came back; nobody is believed by name.
import { z } from 'zod';
import type { Clock } from '../../ports/clocks.js';
import type { ModelAbility } from '../../ports/modelAbilities.js';
import { parseAnswer, strictSchema } from './answers.js';
import { callModel } from './client.js';
import { readEnvelope } from './envelope.js';
import type { ModelProfile } from './profile.js';
import { sha256Of, type ModelRequest, type Picture } from './request.js';
import { weigh } from './weigh.js';

/** 64 by 64 pixels, the left half red, the right half blue. */
const twoColours =
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAMAAACdt4HsAAAABlBMVEUAAP//AADF+ovTAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAKklEQVRYw+3MQREAAAwCINe/9CL49yAAuSKNQCAQCAQCgUAgEAgEgvXgAZQPCAHkhLaKAAAAAElFTkSuQmCC';

const colour = z.enum(['red', 'green', 'blue', 'yellow', 'none']);
const sumAnswer = z.strictObject({ sum: z.int(), word: z.enum(['alpha', 'beta']) });
const colourAnswer = z.strictObject({ left: colour, right: colour });

/** Of one answer, reasoning included; enough for a model that thinks before it says one word. */
const outputTokens = 2000;

const probeProfile = (profile: ModelProfile): ModelProfile => ({
  ...profile,
  maxOutputTokens: Math.min(outputTokens, profile.maxOutputTokens),
});

const prompt = (text: string): ModelRequest['prompts'][number] => ({
  name: 'probe',
  sha256: sha256Of(text),
  text,
});

const request = (
  text: string,
  schemaName: string,
  schema: z.ZodType,
  pictures: readonly Picture[],
): ModelRequest => ({
  purpose: 'probe',
  prompts: [
    prompt('You are being tested. Answer with one JSON object of the given schema and nothing else.'),
  ],
  text,
  inputSha256: sha256Of(text),
  pictures,
  schemaName,
  schema: strictSchema(schema),
  numbersOnly: false,
  repair: null,
});

const picture: Picture = {
  label: 'two colours',
  object: {
    ...{ key: 'probe', sha256: sha256Of(Buffer.from(twoColours, 'base64')), bytes: 138 },
    ...{ width: 64, height: 64 },
  },
  dataUrl: () => Promise.resolve(`data:image/png;base64,${twoColours}`),
};

type Heard<T> = { readonly conclusive: boolean } & (
  | { readonly kind: 'value'; readonly value: T }
  /** It answered, and not as asked. */
  | { readonly kind: 'other'; readonly words: string }
  | { readonly kind: 'nothing'; readonly code: string; readonly words: string }
);

/** They tell something of model and API. A limit, a key, a quota, a timeout or a server that is away tell nothing of either. */
const tellingFailures = new Set(['MODEL_NOT_FOUND', 'MODEL_REQUEST_REFUSED', 'MODEL_NO_PICTURES']);
/** The model's text was whole, and not as asked; or the bytes are no answer of this API. */
const tellingOutcomes = new Set(['invalid_json', 'schema_invalid']);

async function hear<T>(
  profile: ModelProfile,
  asked: ModelRequest,
  schema: z.ZodType<T>,
  clock: Clock,
): Promise<Heard<T>> {
  const exchange = await callModel(profile, asked);
  const weighed = weigh(profile, asked, exchange, (text) => parseAnswer(schema, text), clock);
  const words = weighed.message ?? '';
  if (weighed.asked?.kind === 'ok') return { kind: 'value', value: weighed.asked.value, conclusive: true };
  if (weighed.failure !== null) {
    const { code } = weighed.failure;
    return { kind: 'nothing', code, words, conclusive: tellingFailures.has(code) };
  }
  // What is no answer of this API comes from something that does not speak it.
  const spoke = exchange.body !== null && readEnvelope(profile.api, exchange.body).text !== null;
  const conclusive = tellingOutcomes.has(weighed.outcome ?? '');
  return spoke
    ? { kind: 'other', words, conclusive }
    : { kind: 'nothing', code: 'MODEL_UNREADABLE', words, conclusive };
}

export interface Probed {
  readonly ability: Omit<ModelAbility, 'probedAt'>;
  /** Why there was no answer; null where there was one. */
  readonly code: string | null;
  /** Whether both answers tell what the model can do; what only failed for the moment is no inability. */
  readonly conclusive: boolean;
}

/** Makes two calls over one API. Does not throw for anything that the far side does. */
export async function probeModel(
  profile: ModelProfile,
  api: ModelProfile['api'],
  clock: Clock,
): Promise<Probed> {
  const asked = probeProfile({ ...profile, api });
  const who = { baseUrl: profile.baseUrl, model: profile.model, api };
  const first = await hear(
    asked,
    request('How much is 7 and 5? Put it into sum, and set word to beta.', 'sum', sumAnswer, []),
    sumAnswer,
    clock,
  );
  if (first.kind === 'nothing') {
    const none = { answers: false, schemaKept: false, picturesSeen: false };
    const found = `no answer: ${first.words}`.slice(0, 500);
    return { ability: { ...who, ...none, found }, code: first.code, conclusive: first.conclusive };
  }
  const second = await hear(
    asked,
    request('Which colour is the left half of the picture, and which the right?', 'colours', colourAnswer, [
      picture,
    ]),
    colourAnswer,
    clock,
  );
  const picturesSeen =
    second.kind === 'value' && second.value.left === 'red' && second.value.right === 'blue';
  const seen =
    second.kind === 'value'
      ? `the picture is ${second.value.left} and ${second.value.right}`
      : `no picture: ${second.words}`;
  const schemaKept = first.kind === 'value';
  const kept = first.kind === 'value' ? 'keeps the schema' : `breaks the schema: ${first.words}`;
  const found = `${kept}; ${seen}`.slice(0, 500);
  const conclusive = first.conclusive && second.conclusive;
  return { ability: { ...who, answers: true, schemaKept, picturesSeen, found }, code: null, conclusive };
}
