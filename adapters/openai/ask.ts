// Asks a model once and for all: an answer that is recorded is never paid for again, the cost is reserved before the
// call and settled after it, and what was sent and what came back are stored before anything is made of it.
import type { AnalystCall } from '../../ports/analyst.js';
import type { Clock } from '../../ports/clocks.js';
import type { BudgetCaps, CallRow, ConversationStore } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { Parsed } from './answers.js';
import { callModel, type Exchange } from './client.js';
import { readEnvelope } from './envelope.js';
import type { CallFailure } from './errors.js';
import { chooseProfile, refusedPictures, standsReady, type Fallback } from './choose.js';
import type { ModelProfile } from './profile.js';
import { describeCall, mostCost, storeObject } from './planned.js';
import { contentKey, sha256Of, withoutPictures, type ModelRequest } from './request.js';
import { judge, outcomeOf, resultOf, settledCost, weigh, type Asked } from './weigh.js';

/** @throws KeelError where there was no answer: retryable or final */
export type Ask = <T>(request: ModelRequest, read: (text: string) => Parsed<T>) => Promise<Asked<T>>;

export interface AskDeps {
  readonly conversations: Pick<ConversationStore, 'reserve' | 'settle' | 'answered' | 'reuse' | 'byRun'>;
  readonly objects: Pick<ObjectStorePort, 'get' | 'put'>;
  readonly clock: Clock;
  readonly caps: BudgetCaps;
  /** Date of the price table. */
  readonly priceDate: string;
}

export const createAsk =
  (deps: AskDeps, profiles: readonly ModelProfile[], call: AnalystCall): Ask =>
  async (request, read) => {
    const made = await deps.conversations.byRun(call.runId);
    const { profile, others } = chooseProfile(profiles, made);
    const stored = (each: ModelProfile): Promise<CallRow | null> =>
      deps.conversations.answered(contentKey(each, request), call.runId);
    // What this run was answered, by whomever and with or without pictures, comes before what another run was.
    for (const each of [profile, ...others]) {
      const own = await stored(each);
      if (own?.runId === call.runId) return reuse(deps, each, request, call, own, read);
    }
    const pictures = request.pictures.length > 0;
    if (pictures && others.some((each) => answeredBlind(each, request, made))) return { kind: 'noPictures' };
    // Another run's answer stands in for the one that would be asked now, and for no other model's.
    const cached = await stored(profile);
    if (cached !== null) return reuse(deps, profile, request, call, cached, read);
    if (pictures && (!profile.vision || refusedPictures(profile, made))) return { kind: 'noPictures' };
    return askNow(deps, profiles, profile, request, call, read);
  };

/** Whether the run has this profile's answer to the same question without pictures. */
const answeredBlind = (profile: ModelProfile, request: ModelRequest, made: readonly CallRow[]): boolean => {
  const key = contentKey(profile, withoutPictures(request));
  return made.some(({ contentKey: asked, state }) => asked === key && state === 'answered');
};

async function reuse<T>(
  deps: AskDeps,
  profile: ModelProfile,
  request: ModelRequest,
  call: AnalystCall,
  stored: CallRow,
  read: (text: string) => Parsed<T>,
): Promise<Asked<T>> {
  if (stored.runId !== call.runId) {
    await deps.conversations.reuse(await describeCall(deps, profile, request, call, '0'), stored);
  }
  if (stored.answer === null) return outcomeOf(stored.outcome, stored.message);
  return judge(readEnvelope(stored.api, await readObject(deps.objects, stored.answer)), read).asked;
}

async function askNow<T>(
  deps: AskDeps,
  profiles: readonly ModelProfile[],
  profile: ModelProfile,
  request: ModelRequest,
  call: AnalystCall,
  read: (text: string) => Parsed<T>,
): Promise<Asked<T>> {
  refuseLargePictures(profile, request);
  // One that is gone or damaged ends the question here, before anything is reserved for it.
  await Promise.all(request.pictures.map(({ dataUrl }) => dataUrl()));
  const most = mostCost(profile, request);
  const planned = await describeCall(deps, profile, request, call, most);
  const reservation = await deps.conversations.reserve(planned, deps.caps);
  if (reservation.kind === 'refused') {
    const { cap, limitUsd, spentUsd } = reservation;
    const message = `the budget of the ${cap} is ${limitUsd} USD, ${spentUsd} are spent or reserved, and the call may cost ${most}: no call was made`;
    return { kind: 'outcome', outcome: 'budget', message, repairable: null };
  }
  const began = deps.clock.now();
  const exchange = await callModel(profile, request);
  const ms = deps.clock.now() - began;
  const answer = await storeAnswer(deps.objects, exchange);
  const weighed = weigh(profile, request, exchange, read, deps.clock);
  const costUsd = settledCost(profile, weighed, most);
  await deps.conversations.settle(reservation.id, { ...resultOf(weighed, exchange), costUsd, answer, ms });
  const { asked, failure } = weighed;
  if (asked === null && failure !== null) {
    const made = await deps.conversations.byRun(call.runId);
    throw toError(failure, request.purpose, standsReady(profiles, profile, made));
  }
  return asked ?? outcomeOf(weighed.outcome, weighed.message);
}

function refuseLargePictures(profile: ModelProfile, request: ModelRequest): void {
  const large = request.pictures.find(({ object }) => object.bytes > profile.pictureMaxBytes);
  if (large === undefined) return;
  throw new KeelError(
    'CHART_TOO_LARGE',
    `the ${large.label} has ${large.object.bytes} bytes and ${profile.pictureMaxBytes} are sent at most: raise model.pictureMaxBytes`,
    { facts: { key: large.object.key, bytes: large.object.bytes } },
  );
}

/** Whatever came is kept as it came; the ending says what it claims to be. */
async function storeAnswer(
  objects: Pick<ObjectStorePort, 'put'>,
  { body, headers }: Exchange,
): Promise<ObjectRef | null> {
  if (body === null || body.byteLength === 0) return null;
  const json = headers?.get('content-type')?.includes('json') ?? false;
  const [extension, type] = json ? ['json', 'application/json'] : ['bin', 'application/octet-stream'];
  return storeObject(objects, 'answers', body, extension, type);
}

/** @throws KeelError OBJECT_DAMAGED (final) when the bytes are not those that were stored. */
export async function readObject(
  objects: Pick<ObjectStorePort, 'get'>,
  { key, sha256 }: ObjectRef,
): Promise<Uint8Array> {
  const bytes = await objects.get(key);
  if (sha256Of(bytes) === sha256) return bytes;
  throw new KeelError('OBJECT_DAMAGED', `the stored object ${key} is not what was stored: its hash differs`, {
    facts: { key, expected: sha256 },
  });
}

/** Where the next attempt asks another profile, it need not wait, and what was final of this one is not the end. */
function toError(
  { code, message, errorClass, retryAfterMs, down }: CallFailure,
  purpose: string,
  fallback: Fallback,
): KeelError {
  return new KeelError(code, `the ${purpose} call: ${message}`, {
    errorClass: down && fallback === 'fresh' ? 'retryable' : errorClass,
    facts: { purpose, ...(retryAfterMs !== null && fallback === 'none' && { retryAfterMs }) },
  });
}
