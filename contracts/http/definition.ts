// Workflow definitions on the HTTP API, under /api/v1/workflows: what is sent to make one or a version, and how they are
// shown. Used by api/routes/definitions.ts, the OpenAPI document and `keel workflows`.
import { z } from 'zod';
import { definitionGates, definitionSteps, mandatoryGates } from '../../domain/definition/definition.js';
import { definitionId, instant, sentence, timeframeList, unique } from './fields.js';
import { riskFields } from './strategy.js';

/** A list of known names, each once; another name is refused with those that there are. */
const names = <const T extends readonly [string, ...string[]]>(what: string, known: T) =>
  z
    .array(
      z.enum(known, {
        error: ({ input }) => `${JSON.stringify(input)} is no ${what}; there are ${known.join(', ')}`,
      }),
    )
    .max(known.length)
    .refine(unique, `holds the same ${what} twice`);

const steps = names('step', definitionSteps).meta({
  description:
    'In the order of a run. renderChart may be left out where rules read; waitForMarket and orderLifecycle together, ' +
    'for advice without an order.',
});
const gates = names('gate', definitionGates).meta({
  description: `Safety gates: ${mandatoryGates.join(', ')} are mandatory; timeframesAgree may be added.`,
});
const analyst = z.enum(['auto', 'rules', 'openai']).meta({
  description: 'auto: what the strategy asks for.',
});
const limits = z
  .strictObject({
    riskPerTrade: riskFields.riskPerTrade.optional(),
    maximumPositionShare: riskFields.maximumPositionShare.optional(),
    priceCollar: riskFields.priceCollar.optional(),
    minimumRCoefficient: riskFields.minimumRCoefficient.optional(),
    cashReserve: riskFields.cashReserve.optional(),
    pyramiding: z.literal(false, { error: 'can only be false: limits tighten' }).optional(),
  })
  .meta({
    id: 'DefinitionLimits',
    description: 'Bounds for strategies; each can only tighten the platform’s.',
  });

const contents = { steps, timeframes: timeframeList, analyst, gates, limits };

/** What may be left out takes what a run does anyway: every step, days and weeks, the mandatory gates, no own limit. */
const newContents = {
  steps: steps.default([...definitionSteps]),
  timeframes: timeframeList.default(['daily', 'weekly']),
  analyst: analyst.default('auto'),
  gates: gates.default([...mandatoryGates]),
  limits: limits.default({}),
};

const example = {
  timeframes: ['daily'],
  analyst: 'rules',
  gates: ['decisionChecks', 'riskChecks', 'admissionChecks', 'timeframesAgree'],
  limits: { riskPerTrade: '0.005' },
};

/** POST /api/v1/workflows. */
export const newDefinition = z
  .strictObject({ id: definitionId, name: sentence(80), ...newContents })
  .meta({ id: 'NewWorkflow', example: { id: 'daily-only', name: 'Daily bars alone', ...example } });

/** POST /api/v1/workflows/{id}/versions. */
export const newDefinitionVersion = z.strictObject(newContents).meta({ id: 'NewWorkflowVersion', example });

const versionNumber = z.int().positive();

export const definitionVersion = z
  .strictObject({
    id: definitionId,
    version: versionNumber,
    ...contents,
    createdBy: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'WorkflowVersion', description: 'Never changes.' });

export const definition = z
  .strictObject({
    id: definitionId,
    name: z.string(),
    ownerId: z
      .uuid()
      .nullable()
      .meta({ description: "The user whose it is; null for the platform's own, which everybody may use." }),
    current: definitionVersion,
  })
  .meta({ id: 'Workflow' });

export const definitionList = z.strictObject({ workflows: z.array(definition) }).meta({ id: 'WorkflowList' });

export const definitionVersions = z
  .strictObject({ versions: z.array(definitionVersion) })
  .meta({ id: 'WorkflowVersions', description: 'Oldest first.' });

/** Of a run: which version of which definition it takes. */
export const definitionRef = z
  .strictObject({ id: definitionId, version: versionNumber })
  .meta({ id: 'WorkflowRef' });

export type NewDefinition = z.infer<typeof newDefinition>;
export type NewDefinitionVersion = z.infer<typeof newDefinitionVersion>;
