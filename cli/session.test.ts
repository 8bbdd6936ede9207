import { describe, expect, it } from 'vitest';
import { createNyseCalendar } from '../domain/market/nyse.js';
import type { SessionFacts } from './session.js';
import { chooseSession, refusedByCalendar } from './session.js';

interface Stored {
  readonly id: string;
  readonly session: string;
  readonly slot: string;
}

const stored = (...sessions: string[]): Stored[] =>
  sessions.map((session) => ({ id: session, session, slot: 'after-close' }));

const choose = (facts: Partial<SessionFacts<Stored>>) =>
  chooseSession<Stored>({
    asOf: null,
    symbol: 'AAPL',
    slot: 'after-close',
    calendar: createNyseCalendar(),
    now: '2013-05-13T13:30:00.000Z',
    data: { first: '2013-05-13', last: '2018-05-11' },
    firstSession: '2014-07-07',
    stored: [],
    ...facts,
  });

describe('chooseSession without --as-of', () => {
  it('begins at the first session of the symbol and ends on its close', () => {
    const choice = choose({});
    expect(choice).toMatchObject({ kind: 'run', session: '2014-07-07' });
    expect(choice.kind === 'run' && choice.closes.at(-1)).toBe('2014-07-07T20:00:00.000Z');
  });

  it('takes the next session without a run, over weekends and holidays', () => {
    const choice = choose({ now: '2014-07-03T18:00:00.000Z', stored: stored('2014-07-03') });
    expect(choice).toEqual({ kind: 'run', session: '2014-07-07', closes: ['2014-07-07T20:00:00.000Z'] });
  });

  it('goes on from where the market stands when another symbol has stepped it further', () => {
    expect(choose({ now: '2016-03-02T22:00:00.000Z' })).toEqual({
      kind: 'run',
      session: '2016-03-02',
      closes: [],
    });
  });

  it('stays before the default when earlier runs are stored', () => {
    const choice = choose({ now: '2014-03-10T20:00:00.000Z', stored: stored('2014-03-10') });
    expect(choice).toMatchObject({ kind: 'run', session: '2014-03-11' });
  });

  it('is refused after the last session of the data', () => {
    const choice = choose({ now: '2018-05-11T20:00:00.000Z', stored: stored('2018-05-11') });
    expect(choice).toMatchObject({ kind: 'refused' });
    expect(choice.kind === 'refused' && choice.message).toMatch(/2018-05-11.*--reset/);
  });
});

describe('chooseSession with --as-of', () => {
  it('shows the stored run of the same session', () => {
    const [run] = stored('2014-07-07');
    const now = '2014-09-02T20:00:00.000Z';
    expect(choose({ asOf: '2014-07-07', now, stored: stored('2014-07-07') })).toEqual({
      kind: 'stored',
      run,
    });
  });

  it('steps through every session up to a later one', () => {
    const choice = choose({
      asOf: '2014-07-09',
      now: '2014-07-03T17:30:00.000Z',
      stored: stored('2014-07-03'),
    });
    expect(choice).toEqual({
      kind: 'run',
      session: '2014-07-09',
      closes: ['2014-07-07T20:00:00.000Z', '2014-07-08T20:00:00.000Z', '2014-07-09T20:00:00.000Z'],
    });
  });

  it('stays where the market stands after the close of that session', () => {
    expect(choose({ asOf: '2014-07-07', now: '2014-07-08T13:35:00.000Z' })).toEqual({
      kind: 'run',
      session: '2014-07-07',
      closes: [],
    });
  });

  it('is refused before the market without a stored run, and names --reset', () => {
    const choice = choose({
      asOf: '2014-07-01',
      now: '2014-07-07T20:00:00.000Z',
      stored: stored('2014-07-07'),
    });
    expect(choice.kind === 'refused' && choice.message).toContain('--reset');
  });

  it('is refused on a day that is no session, and names the nearest', () => {
    const choice = choose({ asOf: '2014-07-04' });
    expect(choice.kind === 'refused' && choice.message).toContain('2014-07-03 and 2014-07-07');
  });

  it('is refused outside the data, and names first and last', () => {
    for (const asOf of ['2013-05-10', '2018-05-14', '1999-01-04', '2040-01-03']) {
      const choice = choose({ asOf });
      expect(choice.kind === 'refused' && choice.message).toContain('from 2013-05-13 to 2018-05-11');
    }
  });

  it('does not take a run of another slot for the stored one', () => {
    const other = [{ id: 'x', session: '2014-07-07', slot: 'open-5m' }];
    expect(choose({ asOf: '2014-07-07', stored: other }).kind).toBe('run');
  });
});

describe('what the calendar alone knows of a date', () => {
  it('names the nearest sessions of a day that is none', () => {
    expect(refusedByCalendar(createNyseCalendar(), '2014-07-05')).toBe(
      '2014-07-05 is no session of the exchange; the nearest: 2014-07-03 and 2014-07-07.',
    );
  });

  it('says nothing of a session, nor of a year that it does not know', () => {
    expect(refusedByCalendar(createNyseCalendar(), '2014-07-07')).toBeNull();
    expect(refusedByCalendar(createNyseCalendar(), '1987-10-19')).toBeNull();
  });
});
