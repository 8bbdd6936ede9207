// A strategy as an operator configures it. Stored per version; a run keeps the version it started with.
import type { Timeframe } from '../../domain/market/bar.js';
import type { RiskProfile } from '../../domain/risk/types.js';
import type { Mode } from './names.js';

export interface IndicatorParameters {
  readonly sma: readonly number[];
  readonly ema: readonly number[];
  readonly rsi: number;
  readonly macd: { readonly fast: number; readonly slow: number; readonly signal: number };
  readonly bollinger: { readonly period: number; readonly deviations: number };
  readonly atr: number;
  readonly superTrend: { readonly period: number; readonly multiplier: number };
  readonly volumeAverage: number;
}

/** Whose model does what, by the names of the settings' profiles; `default` is the one that the environment names. */
export interface ModelRoles {
  /** Reads the timeframes. */
  readonly reader?: string;
  /** Consolidates and decides. */
  readonly decider?: string;
  /** Asked in place of one that is down. */
  readonly fallback?: string;
}

export interface StrategySettings {
  readonly symbols: readonly string[];
  readonly timeframes: readonly Timeframe[];
  readonly indicators: IndicatorParameters;
  /** auto: the model where one is configured, else the rules. */
  readonly analyst: 'auto' | 'rules' | 'openai';
  /** Whether a panel of the model reviews a proposed buy; absent in versions stored before there was one: no. */
  readonly panel?: boolean;
  /** Absent: the default model does all, and nobody stands in. */
  readonly models?: ModelRoles;
  readonly risk: RiskProfile;
  /** Names the decision within the session; every strategy has one. */
  readonly slot: string;
  /** The workflow definition whose steps the runs take, and the version of it, which never changes. */
  readonly workflowId: string;
  readonly workflowVersion: number;
}

export interface Strategy {
  /** Lower-case letters, digits and dashes. */
  readonly id: string;
  readonly name: string;
  readonly mode: Mode;
  readonly active: boolean;
  readonly version: number;
  readonly settings: StrategySettings;
  readonly createdAt: string;
  /** Id of the user; null for one made before there were users, or outside the API. */
  readonly ownerId: string | null;
}
