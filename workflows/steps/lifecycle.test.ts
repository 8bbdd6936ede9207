import { describe, expect, it } from 'vitest';
import type { LegState } from '../../contracts/wire/order.js';
import { isProtected } from './lifecycle.js';

const leg = (role: LegState['role'], change: Partial<LegState> = {}): LegState => ({
  role,
  brokerOrderId: role,
  status: 'WORKING',
  quantity: '100',
  filledQuantity: '0',
  ...change,
});
const roles = ['stop', 'target'] as const;
const entry = (filledQuantity: string, legs: readonly LegState[]) => ({ filledQuantity, legs });

describe('a position', () => {
  it('is protected while each leg works for what has filled', () => {
    expect(isProtected(entry('100', [leg('stop'), leg('target')]), roles)).toBe(true);
    expect(isProtected(entry('100.0', [leg('stop'), leg('target')]), roles)).toBe(true);
  });

  it('is not while a leg would sell more than has filled, or less', () => {
    expect(isProtected(entry('30', [leg('stop'), leg('target')]), roles)).toBe(false);
    expect(isProtected(entry('100', [leg('stop', { quantity: '30' }), leg('target')]), roles)).toBe(false);
  });

  it('is not while a leg is missing or over, unless one has filled and closed it', () => {
    expect(isProtected(entry('100', [leg('stop')]), roles)).toBe(false);
    expect(isProtected(entry('100', [leg('stop', { status: 'CANCELLED' }), leg('target')]), roles)).toBe(
      false,
    );
    expect(
      isProtected(
        entry('100', [leg('stop', { status: 'FILLED' }), leg('target', { status: 'CANCELLED' })]),
        roles,
      ),
    ).toBe(true);
  });

  it('is taken as protected by legs that were told without their size', () => {
    const old: LegState = { role: 'stop', brokerOrderId: '1', status: 'WORKING', filledQuantity: '0' };
    expect(isProtected(entry('100', [old]), ['stop'])).toBe(true);
  });
});
