import { describe, expect, it } from 'vitest';
import { timeframeRules } from '../domain/market/bar.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { afterWarmUp } from './runSession.js';

const calendar = createNyseCalendar();
const [first, last] = ['2013-05-13', '2018-05-11'];

describe('afterWarmUp', () => {
  it('waits for days and weeks, and for nothing else unless it is told to', () => {
    const date = afterWarmUp(calendar, first, last);
    expect(calendar.between(first, date)).toHaveLength(305);
    expect(afterWarmUp(calendar, first, last, ['weekly'])).toBe(date);
  });

  it('waits for complete months where a strategy looks at them', () => {
    const date = afterWarmUp(calendar, first, last, ['monthly']);
    const months = new Set(calendar.between(first, date).map((session) => session.date.slice(0, 7)));
    // The one that is on does not count.
    expect(months.size - 1).toBeGreaterThanOrEqual(timeframeRules.monthly.warmUp);
  });

  it('is the last session there is where the bars are too few', () => {
    expect(afterWarmUp(calendar, first, '2014-07-07', ['monthly'])).toBe('2014-07-07');
  });
});
