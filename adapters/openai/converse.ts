// One question to its end: numbers only where the model takes no pictures, one repair turn with the exact complaints,
// and then an answer or a typed outcome. Called by analyst.ts.
import type { ModelOutcome } from '../../ports/conversations.js';
import type { Parsed } from './answers.js';
import type { Ask } from './ask.js';
import { withoutPictures, type ModelRequest } from './request.js';
import type { Asked } from './weigh.js';

export type Conversed<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly numbersOnly: boolean }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** The code that a run ends with. */
const codeOf = (outcome: Exclude<ModelOutcome, 'ok'>): string => `MODEL_${outcome.toUpperCase()}`;

/** Of the answer that is to be mended, in the repair turn. */
const answerChars = 8000;

export async function converse<T>(
  ask: Ask,
  request: ModelRequest,
  read: (text: string) => Parsed<T>,
): Promise<Conversed<T>> {
  let asked: Asked<T> = await ask(request, read);
  let sent = request;
  if (asked.kind === 'noPictures') {
    sent = withoutPictures(request);
    asked = await ask(sent, read);
  }
  if (asked.kind === 'outcome' && asked.repairable !== null) {
    const { repairable } = asked;
    asked = await ask(repairOf(sent, repairable), read);
    if (asked.kind === 'noPictures' && !sent.numbersOnly) {
      // Whoever answered is down by now, and the fallback sees less.
      sent = withoutPictures(request);
      asked = await ask(repairOf(sent, repairable), read);
    }
  }
  if (asked.kind === 'ok') return { kind: 'ok', value: asked.value, numbersOnly: sent.numbersOnly };
  if (asked.kind === 'noPictures')
    return {
      kind: 'failed',
      code: 'MODEL_NO_PICTURES',
      message: 'the model refuses a question without pictures as one with them',
    };
  return {
    kind: 'failed',
    code: codeOf(asked.outcome),
    message: `the ${request.purpose} call: ${asked.message}`,
  };
}

const repairOf = (
  request: ModelRequest,
  { answer, complaints }: { answer: string; complaints: readonly string[] },
): ModelRequest => ({
  ...request,
  repair: {
    answer: answer.slice(0, answerChars),
    complaints: `Your answer was not accepted:\n${complaints.map((each) => `- ${each}`).join('\n')}\nGive the whole answer again as one JSON object of the schema, with these mended.`,
  },
});
