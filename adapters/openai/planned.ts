// A call before it is made: what it costs at the most, and its row with the stored question. Called by ask.ts and afford.ts.
import type { ObjectRef } from '../../contracts/wire/object.js';
import { callCost, mostInputTokens } from '../../domain/decision/cost.js';
import type { AnalystCall } from '../../ports/analyst.js';
import type { NewCall } from '../../ports/conversations.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { ModelProfile } from './profile.js';
import { canonical, parametersOf, sha256Of, type ModelRequest } from './request.js';

/** USD that a call costs at the most, as a decimal string. */
export function mostCost(profile: ModelProfile, request: ModelRequest): string {
  const bytes = Buffer.byteLength(JSON.stringify(canonical(profile, request)));
  const input = mostInputTokens(bytes, request.pictures.length);
  return callCost(profile.price, input, profile.maxOutputTokens);
}

/** The row of a call before it is made; what would be sent is stored. */
export async function describeCall(
  deps: { readonly objects: Pick<ObjectStorePort, 'put'>; readonly priceDate: string },
  profile: ModelProfile,
  request: ModelRequest,
  call: AnalystCall,
  reservedUsd: string,
): Promise<NewCall> {
  const prompt = JSON.stringify(canonical(profile, request));
  return {
    runId: call.runId,
    strategyId: call.strategyId,
    purpose: request.purpose,
    turn: request.repair === null ? 0 : 1,
    contentKey: sha256Of(prompt),
    profile: profile.name,
    api: profile.api,
    modelAsked: profile.model,
    prompts: request.prompts.map(({ name, sha256 }) => ({ name, sha256 })),
    prompt: await storeObject(deps.objects, 'prompts', Buffer.from(prompt), 'json', 'application/json'),
    inputSha256: request.inputSha256,
    pictures: request.pictures.map(({ object }) => object),
    parameters: parametersOf(profile),
    numbersOnly: request.numbersOnly,
    reservedUsd,
    priceDate: deps.priceDate,
  };
}

export async function storeObject(
  objects: Pick<ObjectStorePort, 'put'>,
  folder: string,
  bytes: Uint8Array,
  extension: string,
  contentType: string,
): Promise<ObjectRef> {
  const sha256 = sha256Of(bytes);
  const key = `${folder}/${sha256}.${extension}`;
  await objects.put(key, bytes, contentType);
  return { key, sha256, bytes: bytes.byteLength };
}
