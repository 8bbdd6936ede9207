// The workflow that a run is held against: ten activities, one after the other, that do nothing.
import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing: () => Promise<void> }>({ startToCloseTimeout: '60 seconds' });

export async function noop(): Promise<void> {
  for (let index = 0; index < 10; index += 1) await nothing();
}
