// Makes the analyst that asks a model, and its panel, from the configuration. Called by worker/ports.ts and by commands of the CLI.
import { createAfford, type Afford, type AffordDeps } from '../adapters/openai/afford.js';
import { createAsk, type Ask, type AskDeps } from '../adapters/openai/ask.js';
import { createModelAnalyst } from '../adapters/openai/analyst.js';
import { createModelPanel } from '../adapters/openai/panel.js';
import { asProbed, isOpenai, openaiUrl, type ModelProfile } from '../adapters/openai/profile.js';
import { modelConfigured, type ModelConfig } from '../config/model.js';
import type { AnalystCall, AnalystPort } from '../ports/analyst.js';
import { KeelError } from '../ports/errors.js';
import type { ModelAbilityStore } from '../ports/modelAbilities.js';
import type { PanelPort } from '../ports/panel.js';

/** Without the date that providers append to a name: gpt-4o-2024-08-06. */
const family = (model: string): string => model.replace(/-\d{4}-\d{2}-\d{2}$/, '');

/** The profiles that are configured, by name; empty where no model is. */
export function modelProfiles(config: ModelConfig): ReadonlyMap<string, ConfiguredProfile> {
  if (!modelConfigured(config)) return new Map();
  const named = Object.entries({ default: config, ...config.profiles });
  return new Map(named.map(([name, given]) => [name, profileOf(config, name, given)]));
}

export interface ConfiguredProfile {
  readonly profile: ModelProfile;
  /** Whether the settings name its API; else a probe may (asProbed). */
  readonly apiIsSet: boolean;
}

type Given = Pick<ModelConfig, 'baseUrl' | 'apiKey' | 'model' | 'api' | 'vision'> & {
  readonly price?: ModelProfile['price'] | undefined;
};

function profileOf(config: ModelConfig, name: string, given: Given): ConfiguredProfile {
  const { apiKey, model, api, vision, price } = given;
  const baseUrl = given.baseUrl === '' ? openaiUrl : given.baseUrl.replace(/\/+$/, '');
  const { timeoutMs, maxOutputTokens, pictureMaxBytes, pictureDetail } = config;
  const { models, other } = config.prices;
  return {
    apiIsSet: api !== '',
    profile: {
      ...{ name, baseUrl, apiKey, model, vision },
      ...{ timeoutMs, maxOutputTokens, pictureMaxBytes, pictureDetail },
      api: api === '' ? (isOpenai(baseUrl) ? 'responses' : 'chat') : api,
      price: price ?? models[model] ?? models[family(model)] ?? other,
    },
  };
}

export function createConfiguredModel(
  config: ModelConfig,
  deps: Pick<AskDeps & AffordDeps, 'conversations' | 'objects' | 'clock'> & {
    readonly modelAbilities: Pick<ModelAbilityStore, 'of'>;
  },
): { readonly model: AnalystPort | null; readonly panel: PanelPort | null } {
  const profiles = modelProfiles(config);
  if (profiles.size === 0) return { model: null, panel: null };
  const askDeps: AskDeps & AffordDeps = { ...deps, caps: config.budget, priceDate: config.prices.date };
  // Read for each question, so that a probe counts at once.
  const probed = async (name: string): Promise<ModelProfile> => {
    const found = profiles.get(name);
    if (found === undefined) throw unknownProfile(name, [...profiles.keys()]);
    const { profile, apiIsSet } = found;
    return asProbed(profile, apiIsSet, await deps.modelAbilities.of(profile.baseUrl, profile.model));
  };
  const chainOf = (role: 'reader' | 'decider', { models = {} }: AnalystCall): Promise<ModelProfile[]> => {
    const { [role]: first = 'default', fallback = first } = models;
    return Promise.all([...new Set([first, fallback])].map(probed));
  };
  const askAs =
    (role: 'reader' | 'decider') =>
    (call: AnalystCall): Ask =>
    async (request, read) =>
      createAsk(askDeps, await chainOf(role, call), call)(request, read);
  const afford: Afford = async (call, requests) =>
    createAfford(askDeps, await chainOf('decider', call))(call, requests);
  return {
    model: createModelAnalyst({ askReading: askAs('reader'), askDecision: askAs('decider') }),
    panel: createModelPanel({ askDecision: askAs('decider'), afford }),
  };
}

const unknownProfile = (name: string, known: readonly string[]): KeelError =>
  new KeelError(
    'MODEL_PROFILE_UNKNOWN',
    `the strategy names the model profile ${name}, and the settings have ${known.join(', ')}: add it to KEEL_MODEL_PROFILES, or change the strategy`,
  );
