// What is needed to reach one model. Made from the configuration by the composition roots.
import type { ModelAbility } from '../../ports/modelAbilities.js';

export interface ModelProfile {
  /** As the settings call it; `default` is the one that the environment names. */
  readonly name: string;
  /** Base of the API, with its /v1. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly api: 'responses' | 'chat';
  /** Milliseconds of wall time for one call, answer included; below the activity's. */
  readonly timeoutMs: number;
  /** Most tokens of an answer, reasoning included. */
  readonly maxOutputTokens: number;
  /** Most bytes of a picture. */
  readonly pictureMaxBytes: number;
  readonly pictureDetail: 'low' | 'high' | 'auto';
  /** False for a model that takes no pictures: it is given numbers only. */
  readonly vision: boolean;
  /** USD for a million tokens, as decimal strings. */
  readonly price: { readonly input: string; readonly output: string };
}

export const openaiUrl = 'https://api.openai.com/v1';
export const isOpenai = (baseUrl: string): boolean =>
  URL.canParse(baseUrl) && new URL(baseUrl).hostname === 'api.openai.com';

/**
 * The profile as it was found to work. An API that somebody has set stays; else the usual one of the address, unless only the
 * other one was found to keep the schema. Without a probe nothing changes.
 * @param apiIsSet whether the settings name the API
 */
export function asProbed(
  profile: ModelProfile,
  apiIsSet: boolean,
  abilities: readonly ModelAbility[],
): ModelProfile {
  const works = (api: ModelProfile['api']): boolean =>
    abilities.some((ability) => ability.api === api && ability.answers && ability.schemaKept);
  const other = profile.api === 'chat' ? 'responses' : 'chat';
  const api = !apiIsSet && !works(profile.api) && works(other) ? other : profile.api;
  const found = abilities.find((ability) => ability.api === api && ability.answers);
  return { ...profile, api, vision: profile.vision && (found?.picturesSeen ?? true) };
}
