import { describe, expect, it } from 'vitest';
import { createNyseCalendar } from './nyse.js';
import { isOfEarlierSession } from './priceAge.js';

const calendar = createNyseCalendar();
const monday = '2014-07-07T20:00:00.000Z';

describe('a price', () => {
  it.each([
    ['of today, in the session', '2014-07-08T14:00:00.000Z', '2014-07-08T15:00:00.000Z', false],
    ['of yesterday, in the session', monday, '2014-07-08T15:00:00.000Z', true],
    ['of yesterday, in the first minutes of the session', monday, '2014-07-08T13:40:00.000Z', false],
    ['of yesterday, before the open', monday, '2014-07-08T12:00:00.000Z', false],
    [
      'of Thursday, on the weekend after a holiday',
      '2014-07-03T17:00:00.000Z',
      '2014-07-06T12:00:00.000Z',
      false,
    ],
    ['of two sessions ago, after the close', monday, '2014-07-08T21:00:00.000Z', true],
    ['of a time that no calendar knows', monday, '2040-01-02T15:00:00.000Z', false],
  ])('%s', (_what, at, now, earlier) => {
    expect(isOfEarlierSession('AAPL', at, now, calendar)).toBe(earlier);
  });

  it.each([
    ['2014-07-05T03:40:00.000Z', false],
    ['2014-07-05T03:39:59.999Z', true],
    ['2014-07-04T22:11:00.000Z', true],
  ])('of a coin at %s, on a Saturday at 04:00: of earlier %s', (at, earlier) => {
    expect(isOfEarlierSession('BTC/USD', at, '2014-07-05T04:00:00.000Z', calendar)).toBe(earlier);
  });
});
