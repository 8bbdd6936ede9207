import { describe, expect, it } from 'vitest';
import { nextAct } from './driver.js';

const run = (id: string, waitingFor: string | null) => ({ id, waitingFor });
const now = '2014-07-07T20:00:00.000Z';
const open = '2014-07-08T13:35:00.000Z';
const later = '2014-07-09T13:35:00.000Z';
const nobody = () => false;

describe('nextAct', () => {
  it('is idle without open runs', () => {
    expect(nextAct([], now, nobody)).toEqual({ kind: 'idle' });
  });

  it('steps to the earliest instant once every run waits', () => {
    expect(nextAct([run('b', later), run('a', open)], now, nobody)).toEqual({ kind: 'step', to: open });
  });

  it('never steps while a run is at work', () => {
    expect(nextAct([run('a', open), run('b', null)], now, nobody)).toEqual({ kind: 'busy' });
  });

  it('tells a run of an instant that has passed instead of stepping back', () => {
    const late = run('a', open);
    expect(nextAct([late, run('b', later)], later, nobody)).toMatchObject({ kind: 'tell' });
    expect(nextAct([late], open, nobody)).toEqual({ kind: 'tell', runs: [late] });
  });

  it('tells late waiters even while another run is at work', () => {
    const late = run('a', now);
    expect(nextAct([late, run('b', null)], now, nobody)).toEqual({ kind: 'tell', runs: [late] });
  });

  it('does not step away from a waiter that was told and is still on its way', () => {
    expect(nextAct([run('a', now), run('b', open)], now, () => true)).toEqual({ kind: 'busy' });
  });
});
