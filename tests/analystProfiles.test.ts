// Several models of one strategy, through whole runs: who reads, who decides, who stands in for one that is down, and who is
// never asked because the first one may have been paid. The stub tells the models by their names.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFilesystemObjectStore } from '../adapters/filesystem/objectStore.js';
import { getJson } from '../activities/objects.js';
import type { DecisionInput } from '../activities/decision.js';
import { canonicalJson, decideAgain } from '../cli/verify/replay.js';
import type { ModelRoles } from '../contracts/wire/strategy.js';
import { createAdvice, startModelStack, type Begun, type ModelStack } from './support/openai/modelStack.js';
import { error, holding, key, text } from './support/openai/outcomes.js';
import { good, goodBut } from './support/openai/replies.js';
import type { Reply, Script, StubCall } from './support/openai/stub.js';
import { freePort } from './support/ports.js';
import { sharedServers } from './support/servers.js';

const temporal = sharedServers();
let model: ModelStack;
beforeAll(async () => {
  model = await startModelStack(temporal(), {});
  const at = (name: string, baseUrl = model.stub.url, more: object = {}) => ({
    [name]: { baseUrl, model: `test-${name}`, key: 'env:OPENAI_API_KEY', ...more },
  });
  await model.worker.stop();
  model.keel.env['KEEL_MODEL_PROFILES'] = JSON.stringify({
    ...at('cheap'),
    ...at('strong'),
    ...at('backup'),
    ...at('blind', model.stub.url, { vision: false }),
    ...at('dear', model.stub.url, { price: { input: '0', output: '35' } }),
    ...at('gone', `http://127.0.0.1:${String(await freePort())}/v1`),
  });
  model.worker = await model.keel.startWorker();
  await createAdvice(model.keel);
});
afterAll(() => model.stop());

/** Each model's own answers; who is not named answers well. */
const byModel =
  (scripts: Readonly<Record<string, Script>>): Script =>
  (call, count) =>
    (scripts[call.model.replace('test-', '')] ?? holding(good))(call, count);

const begin = (name: string, models: ModelRoles, script: Script, period?: number) =>
  model.begin(name, script, period, { models });

const rowsOf = async ({ runId }: Begun) =>
  (await model.callRows(runId)).map(({ purpose, profile, state, costUsd }) => ({
    ...{ purpose, profile, state, costUsd },
  }));
const answeredBy = async (begun: Begun) =>
  Object.fromEntries(
    (await rowsOf(begun))
      .filter(({ state }) => state === 'answered')
      .map(({ purpose, profile }) => [purpose, profile]),
  );
const askedIn = ({ period }: Begun): string[] => model.callsOf(period).map((call: StubCall) => call.model);

/** Made again from what is stored, byte by byte, asking nobody. */
async function expectReplay({ runId }: Begun): Promise<void> {
  const objects = createFilesystemObjectStore({ directory: path.join(model.keel.folder, 'objects') });
  const stored = await model.keel.market.stores.evidence.decision(runId);
  if (stored === null) throw new Error('no decision is stored');
  const before = model.stub.calls.length;
  const input = await getJson<DecisionInput>(objects, stored.input);
  const again = await decideAgain(model.keel.market.stores, objects, runId, input);
  expect(canonicalJson(again)).toBe(canonicalJson(stored.decision));
  expect(model.stub.calls).toHaveLength(before);
}

describe('the models of a strategy', () => {
  it('are a cheap one to read and a strong one to decide, and each call says whose it was', async () => {
    const started = await begin('roles', { reader: 'cheap', decider: 'strong' }, byModel({}));
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD', order: null });
    expect(await answeredBy(started)).toEqual({ daily: 'cheap', weekly: 'cheap', decision: 'strong' });
    expect(askedIn(started).sort()).toEqual(['test-cheap', 'test-cheap', 'test-strong']);
    await expectReplay(started);
  });

  const slow: Reply = error(429, 'slow down', null, { 'retry-after': '60' });
  const downs: readonly (readonly [string, string, Script])[] = [
    ['can not be reached', 'gone', () => ({ kind: 'empty' })],
    ['is overloaded', 'strong', () => error(503, 'overloaded')],
    ['says that it failed', 'strong', () => error(500, 'The server had an error')],
    ['asks for a longer wait than one has', 'strong', () => slow],
    ['has no credit for us', 'strong', () => error(429, 'quota', 'insufficient_quota')],
  ];
  it.each(downs)('have a fallback for one that %s', async (what, first, script) => {
    const roles = { reader: first, decider: first, fallback: 'backup' };
    const started = await begin(what, roles, byModel({ [first]: script }));
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD', order: null });
    expect(await answeredBy(started)).toEqual({ daily: 'backup', weekly: 'backup', decision: 'backup' });
    // Once it was found down, the rest of the run does not knock again.
    const failed = (await rowsOf(started)).filter(({ state }) => state === 'failed');
    expect(failed.every(({ profile, purpose }) => profile === first && purpose !== 'decision')).toBe(true);
    expect([1, 2]).toContain(failed.length);
    // What is down is unpaid: its reserved amount must not stop the fallback at the run's cap.
    expect(failed.map(({ costUsd }) => costUsd)).toEqual(failed.map(() => '0'));
    await expectReplay(started);
  });

  const finals: readonly (readonly [string, Script, string])[] = [
    ['a timeout', () => ({ kind: 'silence' }), 'MODEL_TIMEOUT'],
    ['lost connections', () => ({ kind: 'drop', within: true }), 'MODEL_BUDGET'],
    ['a wrong key', () => error(401, 'wrong', 'invalid_api_key'), 'MODEL_KEY_REFUSED'],
    ['a refusal', () => ({ kind: 'refusal' }), 'MODEL_REFUSAL'],
    ['an answer that breaks the schema', () => text('{}'), 'MODEL_SCHEMA_INVALID'],
  ];
  it.each(finals)(
    'have none for %s: it may be paid for, or would be the same',
    async (what, script, code) => {
      const roles = { reader: 'strong', fallback: 'backup' };
      const started = await begin(what, roles, byModel({ strong: goodBut('daily', script) }));
      expect(await model.endOf(started)).toMatchObject({ outcome: 'FAILED', code, order: null });
      expect(askedIn(started)).not.toContain('test-backup');
    },
  );

  it('end the run where the fallback is down too, once each was asked', async () => {
    const broke = (): Reply => error(429, 'quota', 'insufficient_quota');
    const roles = { reader: 'strong', fallback: 'backup' };
    const started = await begin('both down', roles, byModel({ strong: broke, backup: broke }));
    expect(await model.endOf(started)).toMatchObject({ outcome: 'FAILED', code: 'MODEL_QUOTA', order: null });
    expect(askedIn(started)).toEqual(expect.arrayContaining(['test-strong', 'test-backup']));
    expect((await rowsOf(started)).every(({ costUsd }) => costUsd === '0')).toBe(true);
  });

  it('never answer for each other from the cache: the first is asked once it is up again', async () => {
    const roles = { reader: 'strong', decider: 'strong', fallback: 'backup' };
    const away = byModel({ strong: () => error(503, 'overloaded') });
    const first = await begin('while it is down', roles, away);
    await first.handle.result();
    const second = await begin('once it is up', roles, byModel({}), first.period);
    await second.handle.result();
    expect(await answeredBy(second)).toEqual({ daily: 'strong', weekly: 'strong', decision: 'strong' });
    const third = await begin('and again', roles, byModel({}), first.period);
    await third.handle.result();
    const rows = await model.callRows(third.runId);
    expect(rows.map(({ profile, costUsd }) => [profile, costUsd])).toEqual(Array(3).fill(['strong', '0']));
    const taken = rows.map(({ cachedFrom }) => cachedFrom);
    expect(taken.sort()).toEqual((await model.callRows(second.runId)).map(({ id }) => id).sort());
  });

  it('may see less than the one that they stand in for: numbers only, and the run says so', async () => {
    const roles = { reader: 'gone', decider: 'strong', fallback: 'blind' };
    const started = await begin('blind fallback', roles, byModel({}));
    await started.handle.result();
    expect(await answeredBy(started)).toEqual({ daily: 'blind', weekly: 'blind', decision: 'strong' });
    const analyses = await model.keel.market.stores.evidence.analyses(started.runId);
    expect(analyses.map(({ reading }) => reading?.numbersOnly)).toEqual([true, true]);
    expect(model.callsOf(started.period).map(({ pictures }) => pictures.length)).toEqual([0, 0, 2]);
    await expectReplay(started);
  });

  const panelled = { panel: true, workflowId: 'advice' };
  const members = ['bull', 'bear', 'risk', 'judge'] as const;

  it.each(members)(
    'have a fallback in a panel too: whoever answers 503 to the %s is stood in for',
    async (who) => {
      const models = { reader: 'cheap', decider: 'strong', fallback: 'backup' };
      const script: Script = (call) =>
        call.purpose === who && call.model === 'test-strong' ? error(503, 'overloaded') : good(call);
      const started = await model.begin(`down to the ${who}`, script, undefined, { models, ...panelled });
      const end = await model.endOf(started);
      expect(end).toMatchObject({ outcome: 'NOT_SENT', code: 'ADVICE_ONLY', order: null });
      const place = members.indexOf(who);
      const by = members.map((member, index) => [member, index < place ? 'strong' : 'backup']);
      const readers = { daily: 'cheap', weekly: 'cheap', decision: 'strong' };
      expect(await answeredBy(started)).toEqual({ ...readers, ...Object.fromEntries(by) });
      const rows = await rowsOf(started);
      const failed = rows.filter(({ state }) => state === 'failed');
      // It is unpaid, and nobody knocks at it again; the seven answers are what the run cost.
      expect(failed).toEqual([{ purpose: who, profile: 'strong', state: 'failed', costUsd: '0' }]);
      const paid = rows.filter(({ state }) => state === 'answered').map(({ costUsd }) => costUsd);
      expect(paid).toEqual(Array(7).fill('0.0049'));
      await expectReplay(started);
    },
  );

  it('begin no panel that the budget would cut off between its reviewers', async () => {
    const models = { reader: 'cheap', decider: 'dear' };
    const started = await model.begin('dear panel', good, undefined, { models, ...panelled });
    const end = await model.endOf(started);
    expect(end).toMatchObject({ outcome: 'FAILED', code: 'MODEL_BUDGET', order: null });
    expect(end.message).toMatch(
      /^the budget of the run is 0\.25 USD, .* the panel's 4 calls may cost 0\.2\d+/,
    );
    const purposes = model.callsOf(started.period).map(({ purpose }) => purpose);
    expect(purposes.sort()).toEqual(['daily', 'decision', 'weekly']);
  });

  it('are those of the settings: a name that is gone from them ends the run', async () => {
    const started = await begin('unknown', { reader: 'sold' }, byModel({}));
    const end = await model.endOf(started);
    expect(end).toMatchObject({ outcome: 'FAILED', code: 'MODEL_PROFILE_UNKNOWN', order: null });
    expect(end.message).toContain('default, cheap, strong, backup, blind, dear, gone');
    expect(askedIn(started)).toEqual([]);
  });

  it('are asked once each by workers that die between the failure of one and the call of the other', async () => {
    await model.worker.stop();
    const dying = await model.keel.startWorker('fail:analyze');
    const models = { reader: 'strong', decider: 'strong', fallback: 'backup' };
    const script = byModel({ strong: () => error(503, 'overloaded') });
    const change = { models, timeframes: ['daily'] } as const;
    const started = await model.begin('killed between profiles', script, undefined, change);
    await dying.ended;
    expect(await rowsOf(started)).toMatchObject([{ purpose: 'daily', profile: 'strong', state: 'failed' }]);
    await (
      await model.keel.startWorker('start:analyze')
    ).ended;
    model.worker = await model.keel.startWorker();
    expect(await model.endOf(started)).toMatchObject({ outcome: 'HOLD', order: null });
    expect(askedIn(started)).toEqual(['test-strong', 'test-backup', 'test-backup']);
    expect(await answeredBy(started)).toEqual({ daily: 'backup', decision: 'backup' });
  });

  it('get the key that their profile points to, and nobody else sees it', () => {
    expect(model.stub.refused).toEqual([]);
    expect(model.stub.calls.every((call) => call.key === `Bearer ${key}`)).toBe(true);
  });
});
