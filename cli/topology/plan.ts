// What a container of docker-compose.yml is as a process on this machine: the same program with the same variables, its
// addresses, folders and ports moved to loopback. Called by start.ts; pure, so that a test can compare both.
import type { Say } from '../say.js';
import type { ComposeFile, ComposeService } from './compose.js';
import { StartError } from '../supervisor/dataDir.js';

export interface TopologyOptions {
  /** An empty folder, or one of an earlier topology. */
  readonly dataDir: string;
  readonly say: Say;
  /** The `temporal` program. */
  readonly temporalCli: string;
  /** Where variables that the file leaves open come from. */
  readonly env: NodeJS.ProcessEnv;
}

/** Where on this machine the containers' things are. */
export interface Places {
  /** Such as `postgres:5432` → `127.0.0.1:41233`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Such as `/run/secrets` → a folder; the longest that fits counts. */
  readonly folders: Readonly<Record<string, string>>;
}

export interface Plan {
  /** Arguments of this Node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Addresses within a text, such as those of a URL. */
export const moveAddresses = (text: string, { addresses }: Places): string =>
  Object.entries(addresses).reduce(
    (moved, [from, to]) => moved.replace(new RegExp(`(^|[/@])${from}(?=$|[/?])`, 'g'), `$1${to}`),
    text,
  );

function movePath(text: string, { folders }: Places): string {
  const from = Object.keys(folders)
    .filter((folder) => text === folder || text.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];
  return from === undefined ? text : `${folders[from] ?? ''}${text.slice(from.length)}`;
}

/** A container listens to all that reach it; a process of this machine to this machine alone. */
const moveHost = (text: string): string => (text === '0.0.0.0' ? '127.0.0.1' : text);

/**
 * @param env where Compose would take the variables without a value from
 * @param ports of this replica, in place of those that every container has for itself
 */
export function planOf(
  file: ComposeFile,
  name: string,
  places: Places,
  env: NodeJS.ProcessEnv,
  ports: Readonly<Record<string, number>> = {},
): Plan {
  const service = file.services[name];
  if (service === undefined) throw new StartError(`docker-compose.yml has no service ${name}`);
  const [program, ...args] = [...(service.entrypoint ?? []), ...(service.command ?? [])];
  if (program !== 'node') throw new StartError(`the service ${name} runs ${String(program)}, not node`);
  const own = Object.entries(ports).map(([key, port]) => [key, String(port)]);
  return {
    args: args.map((arg) => movePath(arg, places)),
    env: {
      ...planEnvironment(file, name, places, env),
      ...(Object.fromEntries(own) as Record<string, string>),
    },
  };
}

/** The variables alone, for a program that is not ours. */
export function planEnvironment(
  file: ComposeFile,
  name: string,
  places: Places,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const service = file.services[name];
  if (service === undefined) throw new StartError(`docker-compose.yml has no service ${name}`);
  return Object.fromEntries(
    variablesOf(service, env).map(([key, value]) => [
      key,
      moveHost(movePath(moveAddresses(value, places), places)),
    ]),
  );
}

/** What Compose would give to the container. */
export const variablesOf = (
  { environment }: ComposeService,
  env: NodeJS.ProcessEnv,
): readonly (readonly [string, string])[] =>
  Object.entries(environment).flatMap(([key, value]) => {
    const given = value ?? env[key];
    return given === undefined ? [] : [[key, String(given)] as const];
  });
