import { ScheduleNotFoundError, ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { whenBusyAgain } from './whenBusyAgain.js';

const busy = new ServiceError('Failed to describe schedule');
const quick = { attempts: 3, pauseMs: 1 };

/** Throws the errors one after the other, then answers with how often it was asked. */
function server(...errors: Error[]) {
  let asked = 0;
  return () => {
    const error = errors[asked];
    asked += 1;
    return error === undefined ? Promise.resolve(asked) : Promise.reject(error);
  };
}

describe('asking Temporal again', () => {
  it('goes on while it is busy', async () => {
    expect(await whenBusyAgain(server(busy, busy), quick)).toBe(3);
  });
  it('gives up with what the server told at last', async () => {
    await expect(whenBusyAgain(server(busy, busy, busy), quick)).rejects.toBe(busy);
  });
  it('takes an answer for an answer', async () => {
    const missing = new ScheduleNotFoundError('no such schedule', 'monitor');
    await expect(whenBusyAgain(server(missing), quick)).rejects.toBe(missing);
  });
});
