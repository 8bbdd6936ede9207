import { describe, expect, test } from 'vitest';
import { createOrderBook, createQuoteBook, createTradeBook } from './books.js';

describe('orders', () => {
  const row = {
    acct: 'DU1',
    orderId: 7,
    status: 'Submitted',
    filledQuantity: 0,
    remainingQuantity: 5,
    bgColor: '#FFF',
  };
  test('are news when they are new, and when something that matters has changed', () => {
    const book = createOrderBook();
    expect(book.take([row])).toBe(true);
    expect(book.take([row])).toBe(false);
    expect(book.take([{ acct: 'DU1', orderId: 7, fgColor: '#000' }])).toBe(false);
    expect(book.take([{ acct: 'DU1', orderId: 7, filledQuantity: 2, remainingQuantity: 3 }])).toBe(true);
    expect(book.take([{ acct: 'DU1', orderId: 7, status: 'Filled' }])).toBe(true);
    // Merged by their id: what a frame leaves out is as it was, so the whole row says nothing new.
    expect(book.take([{ ...row, status: 'Filled', filledQuantity: 2, remainingQuantity: 3 }])).toBe(false);
  });
  test('are kept apart by their id, however it is written', () => {
    const book = createOrderBook();
    book.take([row]);
    expect(book.take([{ ...row, orderId: 8 }])).toBe(true);
    expect(book.take([{ orderId: '7', status: 'Submitted' }])).toBe(false);
  });
  test.each([
    ['nothing', undefined],
    ['a text', 'Filled'],
    ['an object', row],
    ['rows without an id', [{ status: 'Filled' }, { orderId: null }, { orderId: {} }, { orderId: 1.5 }]],
    ['no rows', [null, 7, 'x', []]],
  ])('take %s for nothing', (_name, args) => {
    expect(createOrderBook().take(args)).toBe(false);
  });
  test('are forgotten beyond a number that no account has', () => {
    const book = createOrderBook();
    book.take([row]);
    book.take(Array.from({ length: 2000 }, (_, index) => ({ ...row, orderId: 100 + index })));
    expect(book.take([row])).toBe(true);
  });
});

test('an execution is news once', () => {
  const book = createTradeBook();
  expect(book.take([{ execution_id: 'a.1' }, { execution_id: 'a.2' }])).toBe(true);
  expect(book.take([{ execution_id: 'a.1' }])).toBe(false);
  expect(book.take([{ execution_id: 'a.1' }, { execution_id: 'a.3' }])).toBe(true);
  expect(book.take([{ symbol: 'AAPL' }])).toBe(false);
});

test('quotes keep what did not change, and no field that is none', () => {
  const book = createQuoteBook();
  book.take({
    topic: 'smd+265598',
    conid: 265598,
    conidEx: '265598',
    '31': '100.00',
    '84': '99.99',
    _updated: 1,
  });
  expect(book.take({ conidEx: '265598', '31': '101.00', '87_raw': 25.5, server_id: 'q0' })).toEqual({
    conid: '265598',
    fields: { '31': '101.00', '84': '99.99', '87_raw': 25.5 },
  });
  expect(book.take({ conid: 8314, '31': '1' })).toEqual({ conid: '8314', fields: { '31': '1' } });
  expect(book.take({ '31': '1' })).toBeNull();
  book.forget('265598');
  expect(book.take({ conidEx: '265598' })).toEqual({ conid: '265598', fields: {} });
});
