// The models of the settings: each asked what it can do, and the answer recorded where the analyst looks it up. Called by examine.ts with --llm.
import { createMachineClock } from '../../adapters/clocks/machine.js';
import { probeModel, type Probed } from '../../adapters/openai/probe.js';
import { asProbed, type ModelProfile } from '../../adapters/openai/profile.js';
import { connect } from '../../db/connect.js';
import { createModelAbilityStore } from '../../db/modelAbilities.js';
import { modelProfiles, type ConfiguredProfile } from '../../worker/model.js';
import type { Finding, Patient } from './types.js';
import { reasonOf } from './types.js';

/** What keeps a model from answering over whichever API. */
const fixes: Readonly<Record<string, string>> = {
  MODEL_KEY_REFUSED: 'correct OPENAI_API_KEY, or what its profile names as key',
  MODEL_FORBIDDEN: "see the key's rights at the provider",
  MODEL_QUOTA: "see the account's credit at the provider",
  MODEL_AWAY: 'start the server, or correct OPENAI_BASE_URL, or baseUrl of its profile',
  MODEL_RATE_LIMIT: 'wait, and ask again',
  MODEL_NOT_FOUND:
    'correct OPENAI_MODEL or OPENAI_BASE_URL (with its /v1), or model and baseUrl of its profile',
};

/** All at once: each has its own server, or one that takes several questions. */
export async function checkModel(patient: Patient): Promise<readonly Finding[]> {
  const { model } = patient.sections;
  const profiles = model === undefined ? [] : [...modelProfiles(model).values()];
  if (profiles.length === 0) {
    const found =
      model === undefined ? 'put the configuration right first' : 'none is configured: the rules analyse';
    return [{ check: 'model', status: 'skipped', found }];
  }
  return (await Promise.all(profiles.map((each) => checkProfile(patient, each)))).flat();
}

async function checkProfile(
  patient: Patient,
  { profile, apiIsSet }: ConfiguredProfile,
): Promise<readonly Finding[]> {
  const check = profile.name === 'default' ? 'model' : `model ${profile.name}`;
  const clock = createMachineClock();
  const probed = [await probeModel(profile, 'responses', clock), await probeModel(profile, 'chat', clock)];
  const probedAt = new Date(patient.now()).toISOString();
  const abilities = probed.map(({ ability }) => ({ ...ability, probedAt }));
  const used = asProbed(profile, apiIsSet, abilities);
  return [
    ...probed.map((each) => apiFinding(check, each, used)),
    useFinding(check, probed, used),
    await record(patient, check, probed),
  ];
}

/** An API that is not used may well be missing or worse: then it is no fault, and not fine either. */
function apiFinding(
  check: string,
  { ability: { api, answers, schemaKept, found } }: Probed,
  used: ModelProfile,
): Finding {
  const bad = api === used.api ? 'warning' : 'skipped';
  return { check: `${check} (${api})`, status: answers && schemaKept ? 'ok' : bad, found };
}

function useFinding(check: string, probed: readonly Probed[], used: ModelProfile): Finding {
  const found = probed.find(({ ability }) => ability.api === used.api);
  const own = found?.ability;
  const who = `${used.model} over ${used.api}`;
  if (own === undefined || !own.answers) {
    const cause = own?.found ?? 'no answer';
    const fix = fixes[found?.code ?? ''] ?? 'read the cause, put it right, and ask again';
    return { check, status: 'fault', found: `${who} does not answer`, cause, fix };
  }
  if (!own.schemaKept) {
    const fix = 'take a model or server that knows JSON schemas; else most runs end as MODEL_SCHEMA_INVALID';
    return { check, status: 'fault', found: `${who} breaks the schema`, cause: own.found, fix };
  }
  if (!used.vision) {
    const cause = 'it did not tell the colours of a picture, or model.vision is off';
    return {
      check,
      status: 'warning',
      found: `${who} is given numbers only`,
      cause,
      fix: 'take a model that sees, for charts to be read',
    };
  }
  return { check, status: 'ok', found: `${who} keeps the schema and sees pictures` };
}

/** What the analyst may go by from now on. Where neither API answers, it is the model or the address that is wrong. */
const tellingOf = (probed: readonly Probed[]): readonly Probed[] =>
  probed.some(({ ability }) => ability.answers) ? probed.filter(({ conclusive }) => conclusive) : [];

async function record(patient: Patient, check: string, probed: readonly Probed[]): Promise<Finding> {
  const name = `${check} record`;
  const telling = tellingOf(probed);
  if (telling.length === 0) {
    const found = 'not recorded: no answer tells what the model can do; what was recorded before stays';
    return { check: name, status: 'skipped', found };
  }
  const { database } = patient.sections;
  if (database === undefined) {
    return {
      check: name,
      status: 'skipped',
      found: 'not recorded: no database is given; ask again while Keel runs',
    };
  }
  const db = connect(database);
  try {
    const store = createModelAbilityStore(db, patient.mode);
    for (const { ability } of telling) await store.put(ability);
    const apis = telling.map(({ ability }) => ability.api).join(' and ');
    return { check: name, status: 'ok', found: `recorded of ${apis}; the analyst goes by it from now on` };
  } catch (error) {
    const fix = 'put the database right (keel migrate up), and ask again';
    return { check: name, status: 'fault', found: 'not recorded', cause: reasonOf(error), fix };
  } finally {
    await db.close();
  }
}
