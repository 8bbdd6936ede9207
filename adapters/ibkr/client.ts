// One paced, parsed request to the gateway. Called by the files of one noun each, which name the endpoints.
import type { z } from 'zod';
import type { Clock } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import { refusalOf } from './errors.js';
import type { Exchange } from './errors.js';
import type { IbkrHttp } from './http.js';
import { parseJson } from '../../domain/money/parseJson.js';
import type { LiveSession } from './oauth/liveSession.js';
import type { GateName } from './gates.js';
import { statusEndpoint } from './sessionEndpoints.js';
import type { Lane, Pacing } from './pacing.js';
import { machineTimer, type Timer } from './timer.js';
import { createTurns } from './turns.js';

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With placeholders in braces. */
  readonly path: string;
  /** The limit it has beside the common one. */
  readonly gate?: GateName;
}

export interface CallInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** `order` uses a slot that `pacing.reserve` has waited for, where there is a fresh one. */
  readonly lane?: Lane;
  /** Where it is less than that of all requests, wall milliseconds. */
  readonly timeoutMs?: number;
}

export interface IbkrClient {
  /**
   * @throws KeelError of errors.ts, IBKR_PACING_DEADLINE, or IBKR_BAD_SHAPE (final) when the answer lacks what Keel needs.
   */
  call<T>(endpoint: Endpoint, input: CallInput, schema: z.ZodType<T>): Promise<T>;
  /** The same, its answer unread and whatever its status. `beforeSend` as in http.ts. */
  exchange(endpoint: Endpoint, input: CallInput, beforeSend?: () => void): Promise<Exchange>;
  /** Runs `work` while nothing else holds the gate. @throws KeelError IBKR_PACING_DEADLINE. */
  holding<T>(gate: GateName, work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` while ordinary requests wait, after those on their way have ended: an order that is asked about is void as
   * soon as anything else is asked. Cancels wait too, but not for long.
   */
  quietly<T>(work: () => Promise<T>): Promise<T>;
}

export const labelOf = (endpoint: Endpoint): string => `${endpoint.method} ${endpoint.path}`;

function fill(endpoint: Endpoint, parameters: Readonly<Record<string, string>>): string {
  return endpoint.path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const value = parameters[name];
    if (value === undefined || value === '') throw new TypeError(`${endpoint.path} lacks ${name}`);
    return encodeURIComponent(value);
  });
}

/** What changes nothing at the broker. */
const isRead = (endpoint: Endpoint): boolean => endpoint.method === 'GET' || endpoint === statusEndpoint;

/** Whether a request was sent whose answer nobody has: the gateway may still be at work on it. */
const isUnanswered = (error: unknown): boolean =>
  error instanceof KeelError &&
  (error.code === 'IBKR_TIMEOUT' || error.code === 'IBKR_AWAY') &&
  error.facts['sent'] !== false;

/** @throws KeelError IBKR_BAD_SHAPE (final) with the places that are wrong, not their values. */
export function parseShape<T>(label: string, schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new KeelError(
    'IBKR_BAD_SHAPE',
    `${label} answered in a shape that Keel does not know (${issues.join('; ')}).`,
    {
      facts: { endpoint: label },
    },
  );
}

export interface ClientOptions {
  readonly http: IbkrHttp;
  readonly pacing: Pacing;
  readonly clock: Clock;
  readonly timer?: Timer;
  /** Longest wait for a turn under the limits, wall milliseconds. */
  readonly pacingWaitMs: number;
  /** Signs each request, where Keel itself is the login. */
  readonly oauth?: LiveSession;
}

export function createIbkrClient(options: ClientOptions): IbkrClient {
  const { http, pacing, clock, timer = machineTimer, pacingWaitMs, oauth } = options;
  const turns = createTurns({ pacing, clock, timer });
  /** Whether the base address has ever brought an answer that was one. */
  let pathHolds = false;

  /** The wait for the gate and what `work` waits for have one deadline. */
  async function holding<T>(gate: GateName, work: (deadline: number) => Promise<T>): Promise<T> {
    const deadline = clock.now() + pacingWaitMs;
    const leave = await pacing.enter(gate, deadline);
    let answered = true;
    try {
      return await work(deadline);
    } catch (error) {
      answered = !isUnanswered(error);
      throw error;
    } finally {
      leave(answered);
    }
  }

  async function send(
    endpoint: Endpoint,
    input: CallInput,
    beforeSend: (() => void) | undefined,
    deadline: number,
  ): Promise<Exchange> {
    const path = fill(endpoint, input.path ?? {});
    const body = endpoint.method === 'POST' ? bodyText(input.body) : null;
    const { lane = 'ordinary' } = input;
    const ordinary = lane === 'ordinary';
    await oauth?.ready(ordinary);
    await turns.turn(labelOf(endpoint), lane, endpoint.gate, deadline);
    const signed = oauth?.sign(endpoint.method, path, input.query ?? {});
    const request = http.exchange({
      method: endpoint.method,
      path,
      endpoint: labelOf(endpoint),
      ...(input.query === undefined ? {} : { query: input.query }),
      ...(body === null ? {} : { body }),
      ...(input.timeoutMs === undefined ? {} : { timeoutMs: input.timeoutMs }),
      ...(beforeSend === undefined ? {} : { beforeSend }),
      ...(signed === undefined ? {} : { authorization: signed.authorization }),
    });
    const answer = await (ordinary ? turns.watched(request) : request);
    signed?.answered(answer);
    if (answer.status === 429) pacing.penalize();
    return answer;
  }

  const exchange: IbkrClient['exchange'] = (endpoint, input, beforeSend) =>
    endpoint.gate === undefined
      ? send(endpoint, input, beforeSend, clock.now() + pacingWaitMs)
      : holding(endpoint.gate, (deadline) => send(endpoint, input, beforeSend, deadline));

  return {
    holding,
    quietly: (work) => turns.quietly(work),
    exchange,
    async call(endpoint, input, schema) {
      const answer = await exchange(endpoint, input);
      const refusal = refusalOf(labelOf(endpoint), answer, pathHolds && isRead(endpoint));
      if (refusal !== null) throw refusal;
      pathHolds = true;
      return parseShape(labelOf(endpoint), schema, parseJson(answer.text));
    },
  };
}

const bodyText = (body: unknown): string => JSON.stringify(body ?? {});
