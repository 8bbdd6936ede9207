import { describe, expect, it } from 'vitest';
import { createQueue } from './queue.js';

const late = () => new Error('late');

describe('createQueue', () => {
  it('lets one in at a time, in the order of asking, and keys do not wait for each other', async () => {
    const enter = createQueue();
    const order: string[] = [];
    const first = await enter('a', 1000, late);
    const second = enter('a', 1000, late).then((leave) => {
      order.push('second');
      leave();
    });
    const third = enter('a', 1000, late).then((leave) => {
      order.push('third');
      leave();
    });
    (await enter('b', 1000, late))();
    order.push('other key');
    first();
    await Promise.all([second, third]);
    expect(order).toEqual(['other key', 'second', 'third']);
  });

  it('throws when the turn has not come in time, and those behind still get theirs', async () => {
    const enter = createQueue();
    const leave = await enter('a', 1000, late);
    const impatient = enter('a', 10, late);
    const patient = enter('a', 5000, late);
    await expect(impatient).rejects.toThrow('late');
    leave();
    (await patient)();
    (await enter('a', 1000, late))();
  });

  it('never lets the one behind a late one in before its turn', async () => {
    const enter = createQueue();
    const leave = await enter('a', 1000, late);
    await expect(enter('a', 10, late)).rejects.toThrow('late');
    await expect(enter('a', 10, late)).rejects.toThrow('late');
    leave();
  });
});
