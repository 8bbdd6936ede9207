// Names that more than one process must agree on: modes, queues, workflow ids, signals, queries, search attributes.

export type Mode = 'simulated' | 'paper' | 'live';

export const taskQueue = (mode: Mode): string => `keel-${mode}`;

/** What makes a run the only one of its kind, for ever. */
export interface RunIdentity {
  readonly mode: Mode;
  readonly strategyId: string;
  readonly symbol: string;
  /** The session's date in the exchange's zone, YYYY-MM-DD. */
  readonly session: string;
  readonly slot: string;
}

/** Symbols are percent-encoded because some hold a slash (BTC/USD). */
export const runWorkflowId = (run: RunIdentity): string =>
  ['run', run.mode, run.strategyId, encodeURIComponent(run.symbol), run.session, run.slot].join('/');

export const orderWorkflowId = (mode: Mode, clientOrderId: string): string =>
  `order/${mode}/${clientOrderId}`;

export const brokerStateWorkflowId = (mode: Mode, accountId: string): string =>
  `broker-state/${mode}/${accountId}`;

/** Of the schedule of a monitor, and the beginning of the ids of its looks. */
export const monitorScheduleId = (mode: Mode, name: string): string => `monitor/${mode}/${name}`;

/** The one sender of what people are told. */
export const notificationsWorkflowId = (mode: Mode): string => `notifications/${mode}`;

/** Many who ask for the broker's price of one symbol share the answer. */
export const brokerPriceWorkflowId = (mode: Mode, symbol: string): string =>
  `price/${mode}/${encodeURIComponent(symbol)}`;

export const brokerSessionWorkflowId = (mode: Mode, login: string): string =>
  `broker-session/${mode}/${encodeURIComponent(login)}`;

/** Exported names of the workflow functions, as clients start them. */
export const workflowTypes = {
  strategyRun: 'strategyRun',
  orderLifecycle: 'orderLifecycle',
  brokerState: 'brokerState',
  monitor: 'monitor',
  notifications: 'notifications',
  brokerSession: 'brokerSession',
  brokerPrice: 'brokerPrice',
} as const;

export const signalNames = {
  /** To a run or a lifecycle that waits: the market has reached an instant. Argument: MarketReached. */
  marketReached: 'marketReached',
  /** From a lifecycle to its run. Argument: OrderReport. */
  orderReport: 'orderReport',
  /** From a run to its lifecycle: the run was cancelled. */
  cancelOrder: 'cancelOrder',
  /** From brokerState to a lifecycle. Argument: OrderState. */
  orderState: 'orderState',
} as const;

export const queryNames = { progress: 'progress' } as const;

/** Keyword search attributes that make a run readable in the Temporal Web UI. */
export const searchAttributes = [
  'KeelStrategy',
  'KeelSymbol',
  'KeelMode',
  'KeelDecision',
  'KeelStatus',
] as const;
