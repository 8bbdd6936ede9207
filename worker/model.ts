// Makes the analyst that asks a model, and its panel, from the configuration. Called by worker/ports.ts and by commands of the CLI.
import { createAsk, type Ask, type AskDeps } from '../adapters/openai/ask.js';
import { createModelAnalyst } from '../adapters/openai/analyst.js';
import { createModelPanel } from '../adapters/openai/panel.js';
import { asProbed, isOpenai, openaiUrl, type ModelProfile } from '../adapters/openai/profile.js';
import { modelConfigured, type ModelConfig } from '../config/model.js';
import type { AnalystCall, AnalystPort } from '../ports/analyst.js';
import type { ModelAbilityStore } from '../ports/modelAbilities.js';
import type { PanelPort } from '../ports/panel.js';

/** Without the date that providers append to a name: gpt-4o-2024-08-06. */
const family = (model: string): string => model.replace(/-\d{4}-\d{2}-\d{2}$/, '');

/** The profile of the configured model; null where none is configured. */
export function modelProfile(config: ModelConfig): ModelProfile | null {
  if (!modelConfigured(config)) return null;
  const baseUrl = config.baseUrl === '' ? openaiUrl : config.baseUrl.replace(/\/+$/, '');
  const { models, other } = config.prices;
  return {
    name: 'default',
    baseUrl,
    apiKey: config.apiKey,
    model: config.model,
    api: config.api === '' ? (isOpenai(baseUrl) ? 'responses' : 'chat') : config.api,
    timeoutMs: config.timeoutMs,
    maxOutputTokens: config.maxOutputTokens,
    pictureMaxBytes: config.pictureMaxBytes,
    pictureDetail: config.pictureDetail,
    vision: config.vision,
    price: models[config.model] ?? models[family(config.model)] ?? other,
  };
}

export function createConfiguredModel(
  config: ModelConfig,
  deps: Pick<AskDeps, 'conversations' | 'objects' | 'clock'> & {
    readonly modelAbilities: Pick<ModelAbilityStore, 'of'>;
  },
): { readonly model: AnalystPort | null; readonly panel: PanelPort | null } {
  const profile = modelProfile(config);
  if (profile === null) return { model: null, panel: null };
  const askDeps: AskDeps = { ...deps, caps: config.budget, priceDate: config.prices.date };
  // Read for each question, so that a probe counts at once.
  const probed = async (): Promise<ModelProfile> =>
    asProbed(profile, config.api !== '', await deps.modelAbilities.of(profile.baseUrl, profile.model));
  const ask =
    (call: AnalystCall): Ask =>
    async (request, read) =>
      createAsk(askDeps, [await probed()], call)(request, read);
  const vision = async (): Promise<boolean> => (await probed()).vision;
  return {
    model: createModelAnalyst({ askReading: ask, askDecision: ask, vision }),
    panel: createModelPanel({ askDecision: ask }),
  };
}
