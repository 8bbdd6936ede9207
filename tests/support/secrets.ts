// Looks for planted secrets in everything that a Keel leaves behind. Used by tests/secrets.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Client as Temporal } from '@temporalio/client';
import { Client as S3 } from 'minio';
import { Client as Postgres } from 'pg';
import type { TestS3 } from './s3.js';

/** Something that was left behind, under a name that tells where. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** In clear, and in the forms in which headers, URLs and JSON carry it. */
const formsOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
};

/** @returns `name of the secret in name of the place`, for each that is there */
export const found = (secrets: Readonly<Record<string, string>>, places: readonly Place[]): string[] =>
  Object.entries(secrets).flatMap(([secret, value]) =>
    places
      .filter(({ text }) => formsOf(value).some((form) => text.includes(form)))
      .map(({ name }) => `${secret} in ${name}`),
  );

export const filesOf = (folder: string): Place[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ name: path.relative(folder, file), text: readFileSync(file, 'latin1') }));

/** Every text and every byte of a value, however deep; payloads are JSON or text in bytes. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [key, ...textsIn(part)]);
}

export async function historiesOf({ workflow }: Temporal): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { workflowId, runId, memo, typedSearchAttributes } of workflow.list()) {
    const history = await workflow.getHandle(workflowId, runId).fetchHistory();
    const text = [...textsIn(history), JSON.stringify({ memo, typedSearchAttributes })].join('\n');
    places.push({ name: `the history of ${workflowId}`, text });
  }
  return places;
}

export async function objectsOf(
  { endpoint, accessKey, secretKey }: TestS3,
  bucket: string,
): Promise<Place[]> {
  const { hostname, port } = new URL(endpoint);
  const client = new S3({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
  const places: Place[] = [];
  const listed = client.listObjectsV2(bucket, '', true) as AsyncIterable<{ readonly name?: string }>;
  for await (const { name } of listed) {
    if (name === undefined) continue;
    const chunks: Buffer[] = [];
    for await (const chunk of await client.getObject(bucket, name)) chunks.push(chunk as Buffer);
    places.push({ name: `the object ${name}`, text: Buffer.concat(chunks).toString('latin1') });
  }
  return places;
}

/** @param but tables that hold secrets on purpose */
export async function tablesOf(url: string, but: readonly string[]): Promise<Place[]> {
  const client = new Postgres({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    const places: Place[] = [];
    for (const { name } of rows.filter((row) => !but.includes(row.name))) {
      const dump = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from "${name}" t`);
      places.push({
        name: `the table ${name}`,
        text: dump.rows.map(({ row }) => row).join('\n'),
      });
    }
    return places;
  } finally {
    await client.end();
  }
}
