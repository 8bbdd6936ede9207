// `keel strategies`: through the API of a Keel that runs. Called by cli/main.ts.
import { stringify } from 'yaml';
import { strategy, strategyList } from '../../contracts/http/strategy.js';
import type { Api } from '../api.js';
import { parseArguments, subcommandAndId } from '../arguments.js';
import { readChange, readDataFile } from '../dataFile.js';
import { apiOf } from '../running.js';
import type { Say } from '../say.js';
import { sayTable } from '../table.js';

export const strategiesHelp = `Usage: keel strategies list|show|create|change [ID] [options]

What you have set up: symbols, the workflow definition that their runs take, and what they may risk.

  list                     all that you may see
  show ID                  one of them, with every setting
  create --file FILE       makes one of a file, YAML or JSON, with name and settings
  change ID --file FILE    stores the next version of its settings; open runs keep theirs, and the slot stays

  --json   --data-dir DIR (.keel)   --api URL with KEEL_API_KEY

Examples:
  keel strategies list
  keel strategies create --file docs/workflows/careful-aapl.yaml
  keel strategies show careful-aapl --json`;

const text = { type: 'string' } as const;
const options = { file: text, json: { type: 'boolean' }, 'data-dir': text, api: text } as const;
const words = ['list', 'show', 'create', 'change'] as const;
const base = '/api/v1/strategies';

/** @returns 0 when it is done */
export async function strategiesCommand(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const { values, positionals } = parseArguments({ args: [...args], allowPositionals: true, options });
  const { act, id } = subcommandAndId('strategies', positionals, words);
  const api = apiOf(values, env);
  if (act === 'list') await list(api, out, values.json === true);
  else {
    const one = await oneOf(api, act, id, values.file);
    if (values.json === true) out(JSON.stringify(one, null, 2));
    else if (act === 'show') out(stringify(one).trimEnd());
    else
      out(
        `Stored version ${String(one.version)} of the strategy ${one.id}: keel run SYMBOL --strategy ${one.id}`,
      );
  }
  return 0;
}

async function list(api: Api, out: Say, json: boolean): Promise<void> {
  const { strategies } = await api.ask(strategyList, base);
  if (json) {
    out(JSON.stringify(strategies, null, 2));
    return;
  }
  const rows = strategies.map(({ id, version, settings, name }) => [
    id,
    String(version),
    settings.symbols.join(', '),
    `${settings.workflowId} ${String(settings.workflowVersion)}`,
    settings.slot,
    name,
  ]);
  sayTable(out, ['ID', 'VERSION', 'SYMBOLS', 'WORKFLOW', 'SLOT', 'NAME'], rows, 'No strategies.');
}

function oneOf(api: Api, act: 'show' | 'create' | 'change', id: string, file: string | undefined) {
  if (act === 'show') return api.ask(strategy, `${base}/${encodeURIComponent(id)}`);
  if (act === 'create') return api.ask(strategy, base, readDataFile(file));
  return api.ask(strategy, `${base}/${encodeURIComponent(id)}/versions`, readChange(file, id));
}
