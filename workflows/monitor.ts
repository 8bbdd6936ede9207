// monitor: one look of one monitor, started by its schedule. The look itself keeps its result; what it returns is for
// whoever reads the history.
import type { MonitorInput, MonitorResult } from '../contracts/wire/monitor.js';
import { looking, sweeping } from './steps/proxies.js';

export const monitor = (input: MonitorInput): Promise<MonitorResult> =>
  (input.name === 'retention' ? sweeping : looking).lookOnce(input);
