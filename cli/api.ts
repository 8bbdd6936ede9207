// The HTTP API as the command line uses it: strategies, execution, runs, progress as server-sent events.
import type { z } from 'zod';
import { problem } from '../contracts/http/problem.js';
import { executeAnswer, runDetail, runList, runProgress } from '../contracts/http/run.js';
import { strategy } from '../contracts/http/strategy.js';

export type RunDetail = z.infer<typeof runDetail>;
export type RunList = z.infer<typeof runList>;
export type Started = z.infer<typeof executeAnswer>;
export type Progress = z.infer<typeof runProgress>;

/** What the API refused, in its own words. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.code = code;
  }
}

export interface ExecuteOptions {
  /** A run that finds the market shut ends there. */
  readonly noWait?: boolean;
  /** Another run of a session whose runs have sent nothing. */
  readonly again?: boolean;
}

export interface Api {
  readonly url: string;
  /** Any call that answers JSON: POST where there is a body, else GET. @throws ApiError */
  ask<S extends z.ZodType>(schema: S, path: string, body?: unknown): Promise<z.infer<S>>;
  /** @throws ApiError */
  remove(path: string): Promise<void>;
  /** Makes the demo strategy of a symbol when it is missing. @returns its id and slot */
  ensureDemo(symbol: string): Promise<{ id: string; slot: string }>;
  /** @throws ApiError STRATEGY_NOT_FOUND */
  strategySlot(id: string): Promise<string>;
  execute(strategyId: string, symbol: string, how?: ExecuteOptions): Promise<Started>;
  run(id: string): Promise<RunDetail>;
  runs(filter: { strategyId?: string; symbol?: string; limit?: number }): Promise<RunList['runs']>;
  /** The progress of a run as it changes; ends with the run. @throws ApiError when the stream breaks off */
  follow(id: string, signal: AbortSignal): AsyncGenerator<Progress, void, undefined>;
}

/** Wall milliseconds for one answer. */
const timeoutMs = 30_000;
/** A stream that says nothing for so long is dead: the API sends a sign of life more often. */
const silenceMs = 60_000;

/** @param key an API key; null asks as nobody */
export function createApi(url: string, key: string | null): Api {
  const who: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  async function ask<S extends z.ZodType>(schema: S, path: string, body?: unknown): Promise<z.infer<S>> {
    const response = await send(path, body === undefined ? 'GET' : 'POST', body);
    return schema.parse(await response.json());
  }

  async function send(path: string, method: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: body === undefined ? who : { ...who, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A key is sent to nobody but the one whom it was meant for.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw away(url, error);
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }

  return {
    url,
    ask,
    remove: async (path) => {
      await send(path, 'DELETE');
    },
    ensureDemo: async (symbol) => {
      const id = demoId(symbol);
      try {
        const made = await ask(strategy, '/api/v1/strategies', {
          id,
          name: `Demo ${symbol}`,
          settings: { symbols: [symbol], slot: 'after-close' },
        });
        return { id, slot: made.settings.slot };
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'STRATEGY_EXISTS') throw error;
        const stored = await ask(strategy, `/api/v1/strategies/${id}`);
        return { id, slot: stored.settings.slot };
      }
    },
    strategySlot: async (id) =>
      (await ask(strategy, `/api/v1/strategies/${encodeURIComponent(id)}`)).settings.slot,
    execute: (id, symbol, { noWait = false, again = false } = {}) =>
      ask(executeAnswer, `/api/v1/strategies/${encodeURIComponent(id)}/execute`, {
        symbol,
        ...(noWait && { wait: false }),
        ...(again && { again }),
      }),
    run: (id) => ask(runDetail, `/api/v1/runs/${encodeURIComponent(id)}`),
    runs: async (filter) => {
      const query = new URLSearchParams(
        Object.entries(filter).map(([key, value]) => [key, String(value)] as [string, string]),
      );
      return (await ask(runList, `/api/v1/runs?${query.toString()}`)).runs;
    },
    follow: (id, signal) => followRun(`${url}/api/v1/runs/${encodeURIComponent(id)}/progress`, who, signal),
  };
}

/** Strategy ids are lower-case letters and digits joined by dashes. */
export const demoId = (symbol: string): string =>
  `demo-${symbol
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')}`;

const away = (url: string, cause: unknown): ApiError =>
  new ApiError('API_AWAY', `the API at ${url} does not answer: see its log, or start it with npm start`, {
    cause,
  });

async function refusal(response: Response): Promise<ApiError> {
  const parsed = problem.safeParse(await response.json().catch(() => null));
  if (!parsed.success) return new ApiError('API_ERROR', `the API answered ${String(response.status)}`);
  const { code, detail, errors = [] } = parsed.data;
  const fields = errors.map((each) => `${each.field}: ${each.message}`).join('; ');
  return new ApiError(code, fields === '' ? detail : `${detail} (${fields})`);
}

/** What cannot be read now will not be readable when it is asked again. */
function progressIn(data: string): Progress {
  try {
    return runProgress.parse(JSON.parse(data));
  } catch (error) {
    const message = 'the API tells progress that this keel cannot read: are both of one version?';
    throw new ApiError('PROGRESS_UNREADABLE', message, { cause: error });
  }
}

async function* followRun(
  url: string,
  who: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<Progress, void, undefined> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort();
  }, silenceMs);
  try {
    const response = await fetch(url, {
      headers: { ...who, accept: 'text/event-stream' },
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) throw await refusal(response);
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      timer.refresh();
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events.map(readEvent)) {
        if (event === null) continue;
        yield progressIn(event.data);
        if (event.name === 'end') return;
      }
    }
    throw new ApiError('STREAM_ENDED', 'the API ended the stream of progress before the run had ended');
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw away(url, error);
  } finally {
    clearTimeout(timer);
  }
}

/** One server-sent event; null for a comment. */
export function readEvent(text: string): { name: string; data: string } | null {
  const fields = text.split('\n').map((line) => /^(event|data): ?(.*)$/.exec(line));
  const all = (name: string): string[] =>
    fields.filter((match) => match?.[1] === name).map((match) => match?.[2] ?? '');
  const data = all('data').join('\n');
  return data === '' ? null : { name: all('event')[0] ?? 'message', data };
}
