// Temporal: whether it answers, has the namespace and the search attributes, and whether a worker listens. Called by
// examine.ts and account.ts.
import type { Client } from '@temporalio/client';
import { searchAttributes, taskQueue } from '../../contracts/wire/names.js';
import { connectTemporal } from '../supervisor/temporal.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven, reasonOf } from './types.js';

const check = 'temporal';

/** temporal.api.enums.v1.IndexedValueType: KEYWORD. */
const keyword = 2;

export async function checkTemporal(patient: Patient): Promise<readonly Finding[]> {
  const { temporal } = patient.sections;
  if (temporal === undefined) return notGiven(check, patient);
  let client: Client;
  try {
    client = await connectTemporal(temporal.address, temporal.namespace, askMs, temporal);
  } catch (error) {
    return [
      {
        check,
        status: 'fault',
        found: `${temporal.address}, namespace ${temporal.namespace}: not usable`,
        cause: reasonOf(error),
        fix: 'start the server, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
      },
    ];
  }
  try {
    return await client.connection.withDeadline(Date.now() + askMs, async () => [
      { check, status: 'ok', found: `${temporal.address}, namespace ${temporal.namespace}` },
      await attributes(client, patient),
      await workers(client, patient),
    ]);
  } catch (error) {
    const cause = reasonOf(error);
    return [{ check, status: 'fault', found: 'it stopped answering', cause, fix: 'see its own log' }];
  } finally {
    await client.connection.close();
  }
}

async function attributes(client: Client, { sections }: Patient): Promise<Finding> {
  const namespace = sections.temporal?.namespace ?? '';
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributes.filter((name) => !(name in customAttributes));
  if (missing.length === 0) {
    return { check: 'search attributes', status: 'ok', found: 'all are registered' };
  }
  return {
    check: 'search attributes',
    status: 'fault',
    found: `${missing.join(', ')} not registered`,
    cause: 'no worker that may register them has started on this namespace',
    fix: `temporal operator search-attribute create --namespace ${namespace} ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}; keel doctor --fix does it`,
    repair: () => register(missing, sections.temporal),
  };
}

async function register(
  missing: readonly string[],
  temporal: Patient['sections']['temporal'],
): Promise<string> {
  const { address = '', namespace = '' } = temporal ?? {};
  const { connection } = await connectTemporal(address, namespace, askMs, temporal);
  try {
    await connection.withDeadline(Date.now() + askMs, () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
      }),
    );
  } finally {
    await connection.close();
  }
  return `registered ${missing.join(', ')}`;
}

/** Whether a worker of this mode listens; false where Temporal is not given or has no answer, which its own check tells. */
export async function hasWorker(patient: Patient): Promise<boolean> {
  const { temporal } = patient.sections;
  if (temporal === undefined) return false;
  try {
    const client = await connectTemporal(temporal.address, temporal.namespace, askMs, temporal);
    try {
      return await client.connection.withDeadline(
        Date.now() + askMs,
        async () => (await listening(client, patient)) > 0,
      );
    } finally {
      await client.connection.close();
    }
  } catch {
    return false;
  }
}

async function listening(client: Client, { sections, mode }: Patient): Promise<number> {
  const { pollers } = await client.connection.workflowService.describeTaskQueue({
    namespace: sections.temporal?.namespace ?? '',
    taskQueue: { name: taskQueue(mode) },
  });
  return pollers.length;
}

async function workers(client: Client, patient: Patient): Promise<Finding> {
  const name = taskQueue(patient.mode);
  const count = await listening(client, patient);
  if (count > 0) return { check: 'worker', status: 'ok', found: `${String(count)} listen on ${name}` };
  return {
    check: 'worker',
    status: 'warning',
    found: `no worker listens on ${name}`,
    cause: 'none is up, or it serves another mode or namespace',
    fix: 'start the worker (npm start, or node dist/worker/main.js) and read its log',
  };
}
