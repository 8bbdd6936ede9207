// What a run found out, as it is kept in PostgreSQL. All writes are idempotent by their keys. Errors: KeelError
// DATABASE_AWAY (retryable).
import type { ObjectRef } from '../contracts/wire/object.js';
import type { Analysis, Decision } from '../domain/decision/decision.js';
import type { Timeframe } from '../domain/market/bar.js';
import type { RiskVerdict } from '../domain/risk/types.js';

export interface BarSetRow {
  readonly runId: string;
  readonly timeframe: Timeframe;
  readonly object: ObjectRef;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly source: string;
}

export interface ChartRow {
  readonly runId: string;
  readonly timeframe: Timeframe;
  readonly object: ObjectRef;
  readonly width: number;
  readonly height: number;
}

export interface RiskRow {
  readonly runId: string;
  /** proposal: step 5 · admission: step 7, on fresh facts. */
  readonly stage: 'proposal' | 'admission';
  readonly verdict: RiskVerdict;
  /** The facts it was computed from: what `keel verify` computes it from again. */
  readonly facts: ObjectRef;
}

export interface ProposedDecision {
  readonly proposal: ObjectRef;
  readonly input: ObjectRef;
}

/** What a run found out, kept per run: sets of bars (market_data), charts, analyses, the decision, the verdicts. */
export interface EvidenceStore {
  putBars(row: BarSetRow): Promise<void>;
  bars(runId: string): Promise<readonly BarSetRow[]>;
  putChart(row: ChartRow): Promise<void>;
  charts(runId: string): Promise<readonly ChartRow[]>;
  /** A chart with this key, of a run of `ownerId` unless that is null; the API serves no other objects. */
  chartByKey(key: string, ownerId: string | null): Promise<ChartRow | null>;
  putAnalysis(runId: string, analysis: Analysis): Promise<void>;
  analyses(runId: string): Promise<readonly Analysis[]>;
  /** `input` is the stored object that the decision was computed from. */
  putDecision(runId: string, decision: Decision, input: ObjectRef): Promise<void>;
  decision(runId: string): Promise<{ readonly decision: Decision; readonly input: ObjectRef } | null>;
  /** Names the stored buy that a panel is given, and the stored object that it was computed from. */
  putProposed(runId: string, proposed: ProposedDecision): Promise<void>;
  proposed(runId: string): Promise<ProposedDecision | null>;
  putRisk(row: RiskRow): Promise<void>;
  risk(runId: string): Promise<readonly RiskRow[]>;
}
