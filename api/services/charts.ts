// Gives the pictures that runs have made, and no other object of the store. Called by api/routes/charts.ts.
import type { Viewer } from '../../domain/access/ownership.js';
import { ownerFilter } from '../../domain/access/ownership.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { EvidenceStore } from '../../ports/evidence.js';

export interface ChartDeps {
  readonly evidence: Pick<EvidenceStore, 'chartByKey'>;
  readonly objects: Pick<ObjectStorePort, 'get'>;
}

export interface Picture {
  /** Of the bytes, lower-case hex: the same for ever under the same key. */
  readonly sha256: string;
  read(): Promise<Uint8Array>;
}

const keys = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,299}$/;

/** @throws KeelError CHART_NOT_FOUND when no chart of a run that one may see has this key */
export async function findChart(deps: ChartDeps, key: string, viewer: Viewer): Promise<Picture> {
  const row = keys.test(key) ? await deps.evidence.chartByKey(key, ownerFilter(viewer)) : null;
  if (row === null) {
    throw new KeelError(
      'CHART_NOT_FOUND',
      'No chart of a run has this key; GET /api/v1/runs/{id} lists them.',
    );
  }
  return { sha256: row.object.sha256, read: () => read(deps, key) };
}

/** The store's own words name folders and addresses of the server: they are for the log. */
async function read({ objects }: ChartDeps, key: string): Promise<Uint8Array> {
  try {
    return await objects.get(key);
  } catch (error) {
    if (!(error instanceof KeelError)) throw error;
    if (error.code === 'OBJECT_MISSING') {
      const message =
        'The picture of this chart is not in the object store: retention has deleted it, or it was lost.';
      throw new KeelError('OBJECT_MISSING', message, { cause: error });
    }
    const message =
      'The object store does not give this chart. Try again; the log of the API and keel doctor tell why.';
    throw new KeelError('OBJECT_STORE_AWAY', message, { errorClass: 'retryable', cause: error });
  }
}

/** Path of a chart on this API. */
export const chartPath = (key: string): string =>
  `/api/v1/charts/${key.split('/').map(encodeURIComponent).join('/')}`;
