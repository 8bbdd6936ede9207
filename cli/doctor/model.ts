// The model: asked what it can do, and the answer recorded where the analyst looks it up. Called by examine.ts with --llm.
import { createMachineClock } from '../../adapters/clocks/machine.js';
import { probeModel, type Probed } from '../../adapters/openai/probe.js';
import { asProbed, type ModelProfile } from '../../adapters/openai/profile.js';
import { connect } from '../../db/connect.js';
import { createModelAbilityStore } from '../../db/modelAbilities.js';
import { modelProfile } from '../../worker/model.js';
import type { Finding, Patient } from './types.js';
import { reasonOf } from './types.js';

const check = 'model';

/** What keeps a model from answering over whichever API. */
const fixes: Readonly<Record<string, string>> = {
  MODEL_KEY_REFUSED: 'correct OPENAI_API_KEY',
  MODEL_FORBIDDEN: "see the key's rights at the provider",
  MODEL_QUOTA: "see the account's credit at the provider",
  MODEL_AWAY: 'start the server, or correct OPENAI_BASE_URL',
  MODEL_RATE_LIMIT: 'wait, and ask again',
  MODEL_NOT_FOUND: 'correct OPENAI_MODEL or OPENAI_BASE_URL (with its /v1)',
};

export async function checkModel(patient: Patient): Promise<readonly Finding[]> {
  const { model } = patient.sections;
  const profile = model === undefined ? null : modelProfile(model);
  if (model === undefined || profile === null) {
    const found =
      model === undefined ? 'put the configuration right first' : 'none is configured: the rules analyse';
    return [{ check, status: 'skipped', found }];
  }
  const clock = createMachineClock();
  const probed = [await probeModel(profile, 'responses', clock), await probeModel(profile, 'chat', clock)];
  const probedAt = new Date(patient.now()).toISOString();
  const used = asProbed(
    profile,
    model.api !== '',
    probed.map(({ ability }) => ({ ...ability, probedAt })),
  );
  return [
    ...probed.map((each) => apiFinding(each, used)),
    useFinding(probed, used),
    await record(patient, probed),
  ];
}

/** An API that is not used may well be missing. */
function apiFinding({ ability: { api, answers, found } }: Probed, used: ModelProfile): Finding {
  const name = `${check} (${api})`;
  return { check: name, status: answers || api !== used.api ? 'ok' : 'warning', found };
}

function useFinding(probed: readonly Probed[], used: ModelProfile): Finding {
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

async function record(patient: Patient, probed: readonly Probed[]): Promise<Finding> {
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
