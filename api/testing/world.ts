// Everything that the in-memory API holds. Used by tests only.
import type { RunProgress, StepProgress } from '../../contracts/wire/run.js';
import type { Strategy } from '../../contracts/wire/strategy.js';
import type { ObjectRef } from '../../contracts/wire/object.js';
import type { Analysis, Decision } from '../../domain/decision/decision.js';
import type { BrokerExecution } from '../../ports/broker.js';
import type { CallRow } from '../../ports/conversations.js';
import type { Price } from '../../ports/prices.js';
import type { BarSetRow, ChartRow, RiskRow } from '../../ports/evidence.js';
import type { IntentRow, RunRow } from '../../ports/stores.js';
import type { RunExecution } from '../services/runWorkflows.js';
import { standardDefinitions } from './definitions.js';

export interface Execution extends RunExecution {
  /** What the worker answers to the query; null while there is none. */
  progress: RunProgress | null;
}

export interface Audited {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly facts: Record<string, unknown>;
}

/** Everything that the memory holds; tests read and write it freely. */
export class MemoryWorld {
  readonly strategies = new Map<string, Strategy>();
  readonly definitions = standardDefinitions();
  readonly rows = new Map<string, RunRow>();
  readonly steps = new Map<string, StepProgress[]>();
  readonly bars: BarSetRow[] = [];
  readonly charts: ChartRow[] = [];
  readonly analyses = new Map<string, Analysis[]>();
  readonly decisions = new Map<string, { decision: Decision; input: ObjectRef }>();
  readonly risk: RiskRow[] = [];
  readonly intents = new Map<string, IntentRow>();
  readonly executions: BrokerExecution[] = [];
  readonly calls: CallRow[] = [];
  readonly objects = new Map<string, Uint8Array>();
  readonly audit: Audited[] = [];
  readonly workflows = new Map<string, Execution>();
  readonly cancelled: string[] = [];
  readonly cancelAsked = new Set<string>();
  readonly log: string[] = [];
  readonly stop = new AbortController();
  /** Thrown by what it names, when set. */
  readonly away: { database?: Error; temporal?: Error; market?: Error; objects?: Error } = {};
  readonly prices = new Map<string, Price>();
  progressQueries = 0;
  marketNow = '2014-07-07T20:30:00.000Z';

  /** The value, unless the server that holds it is away. */
  from<T>(server: 'database' | 'temporal' | 'market' | 'objects', value: () => T): Promise<T> {
    const error = this.away[server];
    return error === undefined ? Promise.resolve().then(value) : Promise.reject(error);
  }
}
