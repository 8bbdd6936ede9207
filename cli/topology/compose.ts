// Reads docker-compose.yml as Compose would: YAML with merged anchors, and ${VARIABLES} replaced. Called by plan.ts and by
// the test that checks the file.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { StartError } from '../supervisor/dataDir.js';

const words = z.union([z.string().transform((text) => [text]), z.array(z.string())]);

const serviceSchema = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  entrypoint: words.optional(),
  command: words.optional(),
  /** Null: taken from where Compose runs, and left out where it is not set there. */
  environment: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .optional()
    .transform((given) => given ?? {}),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: words }).optional(),
  depends_on: z
    .record(z.string(), z.looseObject({ condition: z.string(), required: z.boolean().optional() }))
    .default({}),
  deploy: z.looseObject({ replicas: z.number().optional() }).optional(),
  stop_grace_period: z.string().optional(),
});

const fileSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  secrets: z.record(z.string(), z.looseObject({ file: z.string() })),
});

export type ComposeService = z.infer<typeof serviceSchema>;
export type ComposeFile = z.infer<typeof fileSchema>;

/** The file with its anchors merged, nothing replaced yet. */
export const readComposeYaml = (file: string): unknown => parse(readFileSync(file, 'utf8'), { merge: true });

/** @throws StartError naming the variable that has to be set, in the words of the file */
export const readCompose = (file: string, env: NodeJS.ProcessEnv): ComposeFile =>
  fileSchema.parse(replaceAll(readComposeYaml(file), env));

function replaceAll(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') return interpolate(value, env);
  if (Array.isArray(value)) return value.map((each: unknown) => replaceAll(each, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaceAll(each, env)]));
}

const pattern = /\$(?:\$|\{([A-Z][A-Z0-9_]*)(?:(:?[-?])([^}]*))?\})/g;

/** `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}` and `$$`, which is all that our file uses. */
export function interpolate(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(pattern, (found: string, name?: string, kind?: string, rest?: string) => {
    if (name === undefined) return found === '$$' ? '$' : found;
    const value = env[name];
    const isSet = kind?.startsWith(':') === true ? value !== undefined && value !== '' : value !== undefined;
    if (isSet) return value ?? '';
    if (kind?.endsWith('?') === true) throw new StartError(`${name} is not set: ${rest ?? ''}`);
    return kind === undefined ? '' : (rest ?? '');
  });
}

/** Seconds of `45s` or `1m30s`. @throws RangeError */
export function secondsOf(duration: string): number {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  const total = Number(minutes) * 60 + Number(seconds);
  if (total > 0) return total;
  throw new RangeError(`${duration} is no duration such as 45s`);
}
