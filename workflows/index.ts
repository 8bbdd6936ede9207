// The workflows that a worker registers.
export { brokerPrice } from './brokerPrice.js';
export { brokerSession } from './brokerSession.js';
export { brokerState } from './brokerState.js';
export { monitor } from './monitor.js';
export { notifications } from './notifications.js';
export { orderLifecycle } from './orderLifecycle.js';
export { strategyRun } from './strategyRun.js';
