import { describe, expect, it } from 'vitest';
import type { NewStrategy } from '../../contracts/http/strategy.js';
import { definitionSteps, mandatoryGates } from '../../domain/definition/definition.js';
import { defaultIndicators } from '../../domain/indicators/defaults.js';
import { memoryDeps, riskLimits } from '../testing/memory.js';
import { MemoryWorld } from '../testing/world.js';
import { memoryUsers } from '../testing/memoryAccess.js';
import { InvalidInputError } from './invalidInput.js';
import { changeStrategy, createStrategy } from './strategies.js';

const owner = {
  viewer: { userId: memoryUsers.trader.id, role: 'trader' },
  actor: 'test',
} as const;

const create = (request: Partial<NewStrategy>, world = new MemoryWorld()) =>
  createStrategy(memoryDeps(world), { name: 'Mine', settings: { symbols: ['AAPL'] }, ...request }, owner);

const withRisk = (risk: NonNullable<NewStrategy['settings']['risk']>) =>
  create({ settings: { symbols: ['AAPL'], risk } });

async function fieldsOf(work: Promise<unknown>): Promise<string[]> {
  const error: unknown = await work.catch((caught: unknown) => caught);
  if (!(error instanceof InvalidInputError)) throw new Error('was not refused');
  return error.problems.map(({ field }) => field);
}

describe('createStrategy', () => {
  it("fills in the platform's defaults", async () => {
    const made = await create({});
    expect(made.settings).toEqual({
      symbols: ['AAPL'],
      timeframes: ['daily', 'weekly'],
      indicators: defaultIndicators,
      analyst: 'auto',
      panel: false,
      risk: { ...riskLimits, pyramiding: false },
      slot: 'after-close',
      workflowId: 'standard',
      workflowVersion: 1,
    });
  });

  it('keeps what was given and fills in only the rest', async () => {
    const made = await create({
      settings: { symbols: ['SPX'], indicators: { rsi: 21 }, risk: { riskPerTrade: '0.005' }, slot: 'noon' },
    });
    expect(made.settings.indicators).toEqual({ ...defaultIndicators, rsi: 21 });
    expect(made.settings.risk).toEqual({ ...riskLimits, pyramiding: false, riskPerTrade: '0.005' });
    expect(made.settings.slot).toBe('noon');
  });

  it.each([
    ['Demo AAPL 2', 'demo-aapl-2'],
    ['  Übergröße & Söhne!  ', 'ubergro-e-sohne'],
    ['x'.repeat(60), 'x'.repeat(48)],
  ])('makes of the name "%s" the id %s', async (name, id) => {
    expect((await create({ name })).id).toBe(id);
  });

  it('asks for an id when the name has no letter that one can be made of', async () => {
    expect(await fieldsOf(create({ name: '策略' }))).toEqual(['id']);
  });

  it('names every limit of the platform that is passed', async () => {
    const fields = await fieldsOf(
      withRisk({
        riskPerTrade: '0.0100001',
        maximumPositionShare: '0.5',
        minimumRCoefficient: '1.49',
        priceCollar: '0.06',
        cashReserve: '0',
        shortsAllowed: true,
      }),
    );
    expect(fields.sort()).toEqual([
      'settings.risk.cashReserve',
      'settings.risk.maximumPositionShare',
      'settings.risk.minimumRCoefficient',
      'settings.risk.priceCollar',
      'settings.risk.riskPerTrade',
      'settings.risk.shortsAllowed',
    ]);
  });

  it('takes limits that equal those of the platform, however they are written', async () => {
    const made = await withRisk({ riskPerTrade: '0.010', minimumRCoefficient: '1.50', pyramiding: true });
    expect(made.settings.risk).toMatchObject({ riskPerTrade: '0.010', pyramiding: true });
  });
});

describe('changeStrategy', () => {
  const careful = {
    symbols: ['AAPL'],
    timeframes: ['daily' as const],
    analyst: 'rules' as const,
    indicators: { rsi: 21 },
    risk: { riskPerTrade: '0.005', pyramiding: false },
    workflowId: 'standard',
    workflowVersion: 1,
  };

  it('keeps whatever is left out as the version before had it, single limits too', async () => {
    const world = new MemoryWorld();
    const before = await create({ settings: careful }, world);
    const deps = memoryDeps(world);
    // The platform's own definition has moved on, and the strategy has not asked for that.
    const contents = { steps: definitionSteps, timeframes: ['daily', 'weekly'], analyst: 'auto' } as const;
    await deps.definitions.addVersion('standard', { ...contents, gates: mandatoryGates, limits: {} }, 'test');
    const next = await changeStrategy(deps, before.id, { settings: { symbols: ['SPX'] } }, owner);
    expect(next.settings).toEqual({ ...before.settings, symbols: ['SPX'] });
    const risk = { priceCollar: '0.02' };
    const tighter = await changeStrategy(deps, before.id, { settings: { symbols: ['SPX'], risk } }, owner);
    expect(tighter.settings.risk).toEqual({ ...before.settings.risk, ...risk });
    const settings = { symbols: ['SPX'], workflowId: 'standard' };
    const moved = await changeStrategy(deps, before.id, { settings }, owner);
    expect(moved.settings).toEqual({ ...tighter.settings, workflowVersion: 2 });
  });

  it('keeps the panel until it is told not to, and has none for the rules', async () => {
    const world = new MemoryWorld();
    const deps = memoryDeps(world);
    const before = await create({ settings: { symbols: ['AAPL'], panel: true } }, world);
    const change = (settings: object) =>
      changeStrategy(deps, before.id, { settings: { symbols: ['SPX'], ...settings } }, owner);
    expect((await change({})).settings.panel).toBe(true);
    expect(await fieldsOf(change({ analyst: 'rules' }))).toEqual(['settings.panel']);
    expect((await change({ analyst: 'rules', panel: false })).settings.panel).toBe(false);
  });

  describe('the models of a strategy', () => {
    const settings = { symbols: ['AAPL'], models: { reader: 'cheap', decider: 'strong' } };
    const started = async () => {
      const world = new MemoryWorld();
      const profiles = ['default', 'cheap', 'strong'].map((name) => ({ name, model: `m-${name}` }));
      const before = { ...memoryDeps(world), modelState: { profiles } };
      const { id } = await createStrategy(before, { name: 'Mine', settings }, owner);
      // Since then the profiles have gone from the settings.
      const without = { ...before, modelState: { profiles: profiles.slice(0, 1) } };
      return { id, without };
    };

    it('stay as they were, also where a profile is gone that the change does not name', async () => {
      const { id, without } = await started();
      const risk = { riskPerTrade: '0.005' };
      const next = await changeStrategy(without, id, { settings: { symbols: ['AAPL'], risk } }, owner);
      expect(next.settings).toMatchObject({ models: settings.models, risk });
      expect(await fieldsOf(changeStrategy(without, id, { settings }, owner))).toEqual([
        'settings.models.reader',
        'settings.models.decider',
      ]);
    });

    it('are refused beside the rules, and dropped by a change to them', async () => {
      const { id, without } = await started();
      const analyst = 'rules' as const;
      const both = { symbols: ['AAPL'], analyst, models: { reader: 'default' } };
      expect(await fieldsOf(create({ settings: both }))).toEqual(['settings.models']);
      expect(await fieldsOf(changeStrategy(without, id, { settings: both }, owner))).toEqual([
        'settings.models',
      ]);
      const ruled = await changeStrategy(without, id, { settings: { symbols: ['AAPL'], analyst } }, owner);
      expect(ruled.settings).not.toHaveProperty('models');
    });
  });
});
