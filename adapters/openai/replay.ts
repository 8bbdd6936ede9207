// Answers from what is stored, for `keel replay` and `keel verify`: no provider is asked. A question that was never asked,
// because a bar, a picture, a prompt or the code differs, has no answer here.
import type { AnalystPort } from '../../ports/analyst.js';
import type { CallRow } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { PanelPort } from '../../ports/panel.js';
import { createModelAnalyst } from './analyst.js';
import { readObject, type Ask } from './ask.js';
import { readEnvelope } from './envelope.js';
import { createModelPanel } from './panel.js';
import type { ModelProfile } from './profile.js';
import { canonical, type ModelRequest } from './request.js';
import { judge } from './weigh.js';

type Objects = Pick<ObjectStorePort, 'get'>;

const recorded =
  (calls: readonly CallRow[], objects: Objects): Ask =>
  async (request, read) => {
    // The pictures have to be what they were, though nobody looks at them again.
    await Promise.all(request.pictures.map(({ dataUrl }) => dataUrl()));
    const call = await findCall(calls, objects, request);
    if (call === 'noPictures') return { kind: 'noPictures' };
    if (call.answer === null) {
      const outcome = call.outcome === null || call.outcome === 'ok' ? 'empty' : call.outcome;
      return { kind: 'outcome', outcome, message: call.message ?? '', repairable: null };
    }
    return judge(readEnvelope(call.api, await readObject(objects, call.answer)), read).asked;
  };

/** @param calls of the run, as recorded */
export function createReplayAnalyst(calls: readonly CallRow[], objects: Objects): AnalystPort {
  const ask = recorded(calls, objects);
  return createModelAnalyst({ askReading: () => ask, askDecision: () => ask });
}

/** @param calls of the run, as recorded */
export const createReplayPanel = (calls: readonly CallRow[], objects: Objects): PanelPort =>
  createModelPanel({
    askDecision: () => recorded(calls, objects),
    // What was said costs nothing any more.
    afford: () => Promise.resolve(null),
  });

/** The call whose stored question is, byte for byte, the one made again now. */
async function findCall(
  calls: readonly CallRow[],
  objects: Objects,
  request: ModelRequest,
): Promise<CallRow | 'noPictures'> {
  const used = calls.filter(({ state }) => state === 'answered');
  for (const call of used) {
    const stored = new TextDecoder().decode(await readObject(objects, call.prompt));
    if (JSON.stringify(canonical(profileOf(stored), request)) === stored) return call;
  }
  // Whoever answered took no pictures: told so by its server, by a probe or by the settings.
  const blind = used.some(({ purpose, numbersOnly }) => purpose === request.purpose && numbersOnly);
  if (request.pictures.length > 0 && blind) return 'noPictures';
  throw new KeelError(
    'REPLAY_DIFFERS',
    `the ${request.purpose} question made again from what is stored is none that was asked: bars, prompt or code differ`,
    { facts: { purpose: request.purpose } },
  );
}

/** What of a profile a stored question holds. */
function profileOf(stored: string): ModelProfile {
  const { api, baseUrl, model, parameters } = JSON.parse(stored) as Pick<
    ModelProfile,
    'api' | 'baseUrl' | 'model'
  > & { parameters: Pick<ModelProfile, 'maxOutputTokens' | 'pictureDetail'> };
  const unused = { name: '', apiKey: '', timeoutMs: 0, pictureMaxBytes: 0, vision: true };
  return { api, baseUrl, model, ...parameters, ...unused, price: { input: '0', output: '0' } };
}
