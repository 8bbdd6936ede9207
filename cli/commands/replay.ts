// `keel replay RUN` makes a stored decision again and compares it byte by byte; `keel explain RUN` prints the chain from
// the bars to the decision with every hash checked. Neither asks a model, a broker or Temporal.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DecisionInput } from '../../activities/decision.js';
import { createFilesystemObjectStore } from '../../adapters/filesystem/objectStore.js';
import { createMinioObjectStore } from '../../adapters/minio/objectStore.js';
import { loadConfig } from '../../config/load.js';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { Stores } from '../../db/stores.js';
import type { Decision } from '../../domain/decision/decision.js';
import type { PanelReport } from '../../domain/decision/reading.js';
import type { CallRow } from '../../ports/conversations.js';
import { KeelError } from '../../ports/errors.js';
import type { ObjectStorePort } from '../../ports/objectStore.js';
import type { RunRow } from '../../ports/stores.js';
import { parseArguments } from '../arguments.js';
import { dataDirOf } from '../running.js';
import type { Say } from '../say.js';
import { wrap } from '../say.js';
import { StartError } from '../supervisor/dataDir.js';
import { UsageError } from '../supervisor/options.js';
import { readState } from '../supervisor/state.js';
import { openForReading } from '../verify/database.js';
import { canonicalJson, decideAgain } from '../verify/replay.js';
import { readSummary } from '../verify/summaryFile.js';

export const replayHelp = `Usage: keel replay RUN [--data-dir DIR]

Makes the decision of a run again from the stored objects, without asking a model, and compares it byte by byte.
RUN is the id of a run of the Keel that runs on DIR (.keel when not given), or the file that npm start -- --json wrote.
Exit code 0 when it is the same, 1 when it differs or was made by another version.

Example:
  keel replay out.json`;

export const explainHelp = `Usage: keel explain RUN [--data-dir DIR]

Prints how a decision came about: bars, picture, prompt, raw answer, what was read, checks; every hash is checked.
RUN is the id of a run of the Keel that runs on DIR (.keel when not given), or the file that npm start -- --json wrote.

Example:
  keel explain out.json`;

interface Place {
  readonly runId: string;
  readonly dataDir: string;
  readonly databaseDir: string | null;
  readonly objectDir: string | null;
  readonly mode: RunRow['mode'];
}

interface Opened {
  readonly run: RunRow;
  readonly stores: Stores;
  readonly objects: ObjectStorePort;
}

function placeOf(args: readonly string[], env: NodeJS.ProcessEnv): Place {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: { 'data-dir': { type: 'string' } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError('one RUN is needed');
  if (name.endsWith('.json') && existsSync(name)) {
    const { runId, dataDir, databaseDir, objectDir, mode } = readSummary(name);
    return { runId, dataDir, databaseDir, objectDir: objectDir ?? join(dataDir, 'objects'), mode };
  }
  const dataDir = dataDirOf(values['data-dir'], env);
  const running = readState(dataDir);
  if (running === null) {
    throw new StartError(
      `no Keel runs on ${dataDir}: start it, or give the file of --json in place of the id`,
    );
  }
  const { databaseDir, objectDir, mode } = running;
  return { runId: name, dataDir, databaseDir, objectDir, mode };
}

function objectsOf({ objectDir }: Place, env: NodeJS.ProcessEnv): ObjectStorePort {
  if (objectDir !== null) return createFilesystemObjectStore({ directory: objectDir });
  const { objectStore } = loadConfig(env, { need: ['objectStore'] });
  return objectStore.kind === 'filesystem'
    ? createFilesystemObjectStore(objectStore)
    : createMinioObjectStore({ ...objectStore, timeoutMs: 10_000 });
}

async function withRun<T>(
  args: readonly string[],
  out: Say,
  env: NodeJS.ProcessEnv,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const place = placeOf(args, env);
  const database = await openForReading(place, env, out);
  try {
    const run = await database.stores.runs.get(place.runId);
    if (run === null) throw new StartError(`there is no run ${place.runId}; keel runs lists them`);
    return await work({ run, stores: database.stores, objects: objectsOf(place, env) });
  } finally {
    await database.close();
  }
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export const replayCommand = (args: readonly string[], out: Say, env: NodeJS.ProcessEnv): Promise<number> =>
  withRun(args, out, env, async ({ run, stores, objects }) => {
    const stored = await stores.evidence.decision(run.id);
    if (stored === null) {
      out(
        `Run ${run.id} has no decision: it ended as ${run.outcome ?? run.status} (${run.code ?? 'no code'}).`,
      );
      return 1;
    }
    const expected = canonicalJson(stored.decision);
    try {
      const bytes = await checked(objects, stored.input);
      const input = JSON.parse(new TextDecoder().decode(bytes)) as DecisionInput;
      const again = canonicalJson(await decideAgain(stores, objects, run.id, input));
      if (again === expected) {
        out(
          `Replayed: ${stored.decision.action} by ${input.analyst.name} ${input.analyst.version}, the same ${String(expected.length)} bytes, SHA-256 ${sha256(expected)}.`,
        );
        return 0;
      }
      out(`Differs: stored ${expected}\n         again  ${again}`);
    } catch (error) {
      if (!(error instanceof KeelError)) throw error;
      const changed = error.code === 'ANALYST_CHANGED';
      out(`${changed ? 'Another version' : 'Differs'}: ${error.code}: ${error.message}`);
    }
    return 1;
  });

/** @throws KeelError OBJECT_DAMAGED, OBJECT_MISSING (final) */
async function checked(objects: Pick<ObjectStorePort, 'get'>, ref: ObjectRef): Promise<Uint8Array> {
  const bytes = await objects.get(ref.key);
  if (sha256(bytes) === ref.sha256) return bytes;
  throw new KeelError(
    'OBJECT_DAMAGED',
    `the stored object ${ref.key} is not what was stored: its hash differs`,
  );
}

/** Checks an object's hash and prints it as a link of the chain. @returns its bytes; null when it does not hold */
type Link = (what: string, ref: ObjectRef) => Promise<Uint8Array | null>;

export const explainCommand = (args: readonly string[], out: Say, env: NodeJS.ProcessEnv): Promise<number> =>
  withRun(args, out, env, async ({ run, stores, objects }) => {
    let damaged = 0;
    const link: Link = async (what, ref) => {
      try {
        const bytes = await checked(objects, ref);
        out(`  ✓ ${what.padEnd(18)} ${ref.sha256.slice(0, 16)}…  ${ref.key}`);
        return bytes;
      } catch (error) {
        damaged += 1;
        out(`  ✗ ${what.padEnd(18)} ${error instanceof Error ? error.message : String(error)}`);
        return null;
      }
    };
    const { evidence, conversations } = stores;
    out(
      `Run ${run.id}: ${run.symbol} ${run.session}, ${run.outcome ?? run.status} (${run.code ?? 'no code'})`,
    );
    for (const { timeframe, object } of await evidence.bars(run.id)) await link(`bars ${timeframe}`, object);
    for (const { timeframe, object } of await evidence.charts(run.id)) {
      await link(`picture ${timeframe}`, object);
    }
    for (const call of await conversations.byRun(run.id)) {
      if (!(await explainCall(call, link, out))) damaged += 1;
    }
    for (const { timeframe, score, reasons } of await evidence.analyses(run.id)) {
      out(`\n  read ${timeframe}: score ${score.toFixed(2)}`);
      for (const reason of reasons) out(wrap(reason, 100, '    '));
    }
    const stored = await evidence.decision(run.id);
    for (const { part, score, action, reasons } of await stores.rulesOpinions.byRun(run.id)) {
      const what =
        part === 'decision'
          ? `would ${action ?? 'not decide'}`
          : `read ${part}: score ${score?.toFixed(2) ?? 'none'}`;
      out(`\n  beside it the rules ${what}`);
      for (const reason of reasons) out(wrap(reason, 100, '    '));
    }
    const proposed = await evidence.proposed(run.id);
    if (proposed !== null) {
      out('\n  proposed to a panel');
      await link('proposed buy', proposed.proposal);
      await link("proposal's input", proposed.input);
    }
    if (stored !== null) {
      explainDecision(stored.decision, out);
      await link("decision's input", stored.input);
    }
    out(damaged === 0 ? '\nEvery hash holds.' : `\n${String(damaged)} links do not hold.`);
    return damaged === 0 ? 0 : 1;
  });

/** @returns false when the stored question is not that of the recorded key */
async function explainCall(call: CallRow, link: Link, out: Say): Promise<boolean> {
  const short = ({ sha256: hash }: { readonly sha256: string }): string => `${hash.slice(0, 16)}…`;
  const taken = call.cachedFrom === null ? '' : ', taken from an earlier call';
  const down = call.down === true ? ', found down' : '';
  const model = `${call.modelAnswered ?? call.modelAsked} (profile ${call.profile}) by ${call.api}${down}`;
  out(
    `\n  ${call.purpose}${call.turn === 0 ? '' : ' (repair)'}: ${model}, ${call.outcome ?? call.state}${taken}, ${call.costUsd ?? call.reservedUsd} USD`,
  );
  const prompts = call.prompts.map((prompt) => `${prompt.name} ${short(prompt)}`).join(', ');
  const pictures = call.pictures.map((picture) => {
    const { width, height } = picture;
    return width === undefined || height === undefined
      ? short(picture)
      : `${short(picture)} ${String(width)}×${String(height)}`;
  });
  out(`    prompts ${prompts}; pictures ${pictures.join(', ') || 'none'}`);
  const question = await link('question', call.prompt);
  if (call.answer !== null) await link('raw answer', call.answer);
  if (call.message !== null) out(wrap(call.message, 100, '    '));
  const same = question === null || sha256(question) === call.contentKey;
  if (!same) out('  ✗ the question is not the one of the recorded key');
  return same;
}

function explainPanel({ stands, proposed, reviews, verdict }: PanelReport, out: Say): void {
  const { entry, stop, target } = proposed;
  out(
    `    panel on a buy at ${entry ?? 'none'}, stop ${stop ?? 'none'}, target ${target ?? 'none'}: ${stands ? 'it stands' : 'taken back'}`,
  );
  for (const { role, soundness, argument, flags } of reviews) {
    out(wrap(`${role} ${String(soundness)}: ${argument}`, 100, '      '));
    for (const flag of flags) out(`      flagged: ${flag}`);
  }
  out(
    wrap(
      `judge ${String(verdict.soundness)}, ${verdict.verdict}: ${verdict.reasons.join(' ')}`,
      100,
      '      ',
    ),
  );
  out(wrap(`strongest objection: ${verdict.strongestObjection}`, 100, '      '));
  for (const flag of verdict.flags) out(`      flagged: ${flag}`);
}

function explainDecision(
  { action, entry, stop, target, rationale, analyst, review }: Decision,
  out: Say,
): void {
  const prices = `entry ${entry ?? 'none'}, stop ${stop ?? 'none'}, target ${target ?? 'none'}`;
  out(`\n  decided ${action} by ${analyst}: ${prices}`);
  out(wrap(rationale, 100, '    '));
  if (review?.panel !== undefined) explainPanel(review.panel, out);
  for (const check of review?.checks ?? [])
    out(`    ${check.passed ? '✓' : '✗'} ${check.code}: ${check.text}`);
}
