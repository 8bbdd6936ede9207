// Registers Keel's search attributes where it may, else says which commands a person has to run.
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../contracts/wire/names.js';
import { KeelError } from '../ports/errors.js';

/** temporal.api.enums.v1.IndexedValueType: KEYWORD. */
const keyword = 2;

/** @throws KeelError SEARCH_ATTRIBUTES (final) naming the commands. */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributes.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  try {
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
  } catch (cause) {
    const commands = missing.map(
      (name) =>
        `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`,
    );
    throw new KeelError(
      'SEARCH_ATTRIBUTES',
      `this worker may not register search attributes; run:\n${commands.join('\n')}`,
      { cause },
    );
  }
}
