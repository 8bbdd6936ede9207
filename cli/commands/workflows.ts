// `keel workflows`: workflow definitions and their versions, through the API of a Keel that runs. Called by cli/main.ts.
import { stringify } from 'yaml';
import {
  definition,
  definitionList,
  definitionVersion,
  definitionVersions,
} from '../../contracts/http/definition.js';
import type { Api } from '../api.js';
import { parseArguments, subcommandAndId } from '../arguments.js';
import { readChange, readDataFile } from '../dataFile.js';
import { apiOf } from '../running.js';
import type { Say } from '../say.js';
import { sayTable } from '../table.js';

export const workflowsHelp = `Usage: keel workflows list|show|versions|create|change|remove [ID] [options]

Workflow definitions: which steps, timeframes, analyst and gates the runs of a strategy take. A version never changes, and
a strategy names one, so that changing a definition changes no strategy and no run.

  list                     the platform's own and yours
  show ID [--version N]    one version, the current one when not given
  versions ID              every version, oldest first
  create --file FILE       makes one of a file, YAML or JSON, with id and name
  change ID --file FILE    stores the next version
  remove ID                while no strategy and no run names it

  --json   --data-dir DIR (.keel)   --api URL with KEEL_API_KEY

Examples:
  keel workflows list
  keel workflows show standard
  keel workflows create --file docs/workflows/daily-only.yaml
  keel workflows versions daily-only --json`;

const text = { type: 'string' } as const;
const options = {
  file: text,
  version: text,
  json: { type: 'boolean' },
  'data-dir': text,
  api: text,
} as const;
const words = ['list', 'show', 'versions', 'create', 'change', 'remove'] as const;

interface Asked {
  readonly api: Api;
  readonly id: string;
  readonly version: string | undefined;
  readonly file: string | undefined;
  /** Takes the answer: all of it for --json, or told as people read it. */
  readonly tell: (answer: unknown, people: () => void) => void;
  readonly out: Say;
}

const base = '/api/v1/workflows';
const encoded = encodeURIComponent;

const acts: Readonly<Record<(typeof words)[number], (asked: Asked) => Promise<void>>> = {
  list: async ({ api, tell, out }) => {
    const answer = await api.ask(definitionList, base);
    tell(answer.workflows, () => {
      const rows = answer.workflows.map(({ id, name, ownerId, current }) => [
        id,
        String(current.version),
        current.timeframes.join(', '),
        current.analyst,
        ownerId === null ? 'platform' : ownerId,
        name,
      ]);
      sayTable(out, ['ID', 'VERSION', 'TIMEFRAMES', 'ANALYST', 'OWNER', 'NAME'], rows, 'No workflows.');
    });
  },
  show: async ({ api, id, version, tell, out }) => {
    const found =
      version === undefined
        ? (await api.ask(definition, `${base}/${encoded(id)}`)).current
        : await api.ask(definitionVersion, `${base}/${encoded(id)}/versions/${encoded(version)}`);
    tell(found, () => {
      out(stringify(found).trimEnd());
    });
  },
  versions: async ({ api, id, tell, out }) => {
    const { versions } = await api.ask(definitionVersions, `${base}/${encoded(id)}/versions`);
    tell(versions, () => {
      const rows = versions.map((each) => [
        String(each.version),
        each.createdAt,
        each.createdBy,
        each.timeframes.join(', '),
        each.analyst,
        each.gates.join(', '),
      ]);
      sayTable(out, ['VERSION', 'MADE', 'BY', 'TIMEFRAMES', 'ANALYST', 'GATES'], rows, 'No versions.');
    });
  },
  create: async ({ api, file, tell, out }) => {
    const made = await api.ask(definition, base, readDataFile(file));
    tell(made, () => {
      out(`Made the workflow ${made.id}, version ${String(made.current.version)}.`);
    });
  },
  change: async ({ api, id, file, tell, out }) => {
    const contents = readChange(file, id);
    const made = await api.ask(definitionVersion, `${base}/${encoded(id)}/versions`, contents);
    tell(made, () => {
      out(
        `Stored version ${String(made.version)} of the workflow ${made.id}; strategies keep the one they name.`,
      );
    });
  },
  remove: async ({ api, id, tell, out }) => {
    await api.remove(`${base}/${encoded(id)}`);
    tell({ removed: id }, () => {
      out(`Removed the workflow ${id}.`);
    });
  },
};

/** @returns 0 when it is done */
export async function workflowsCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const { values, positionals } = parseArguments({ args: [...args], allowPositionals: true, options });
  const { act, id } = subcommandAndId('workflows', positionals, words);
  await acts[act]({
    api: apiOf(values, env),
    id,
    version: values.version,
    file: values.file,
    tell: (answer, people) => {
      if (values.json === true) out(JSON.stringify(answer, null, 2));
      else people();
    },
    out,
  });
  return 0;
}
