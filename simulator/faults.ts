// Faults that are switched on while the simulator runs, counted exactly: which request they act on, how often, and by which
// seed. Set through admin.ts, asked for by the fronts.
import { z } from 'zod';
import { KeelError } from '../ports/errors.js';

/** What a request is about. A fault acts on one of these, or on `any`. */
export const endpoints = [
  'place',
  'reply',
  'modify',
  'cancel',
  'orders',
  'order-status',
  'trades',
  'history',
  'snapshot',
  'contracts',
  'accounts',
  'portfolio',
  'session',
  'socket',
  'other',
] as const;
export type Endpoint = (typeof endpoints)[number];
type Target = Endpoint | 'any';

/** What some kinds can act on, beside `any`; every other kind on all but the socket. */
const orderTaken: readonly Endpoint[] = ['place', 'reply'];
const orderAsked: readonly Endpoint[] = ['place', 'modify'];
const fits: Readonly<Record<string, readonly Endpoint[]>> = {
  'accept-then-drop': orderTaken,
  'accept-then-500': orderTaken,
  'reply-503': ['reply'],
  'unknown-question': orderAsked,
  question: orderAsked,
  prompt: ['place'],
  'legs-first': ['place'],
  'invisible-order': ['place'],
  'slow-cancel': ['cancel'],
  'duplicate-executions': ['trades'],
  'correct-executions': ['trades'],
  'shuffled-executions': ['trades'],
  'snapshot-false': ['orders'],
  'empty-orders': ['orders'],
  'ended-unlisted': ['orders', 'order-status'],
  'socket-drop': ['socket'],
  'socket-silence': ['socket'],
  'socket-garbage': ['socket'],
  'socket-lie': ['socket'],
};
const ofRequests = endpoints.filter((endpoint) => endpoint !== 'socket');
const targetsOf = (kind: FaultKind): readonly Target[] => [...(fits[kind] ?? ofRequests), 'any'];

/** Every kind, what it acts on when the request does not say, and its length in wall milliseconds where it has one. */
const kinds = {
  /** The order is taken and in the ledger; the connection is cut instead of an answer. */
  'accept-then-drop': { on: 'any', ms: null },
  /** The order is taken and in the ledger; the answer is a 500. */
  'accept-then-500': { on: 'any', ms: null },
  /** The request waits this long before anything is done with it. */
  delay: { on: 'any', ms: 1000 },
  /** What was asked is done at once; the answer trickles in over this long. */
  slow: { on: 'any', ms: 1000 },
  /** Nothing is done; after this long the answer is 503 "request aborted". */
  'aborted-503': { on: 'any', ms: 10_000 },
  /** A reply to a question is answered with 503. The order is discarded, or with `accepted` taken all the same. */
  'reply-503': { on: 'reply', ms: null },
  /** The broker asks something with a message id that nobody has seen before. */
  'unknown-question': { on: 'place', ms: null },
  /** The broker asks what its documents name, one after the other: `messageIds`. */
  question: { on: 'place', ms: null },
  /** The broker answers an order with a prompt for a person; the order is not taken. */
  prompt: { on: 'place', ms: null },
  /** The answer to a bracket names its legs before the entry, and echoes no id of the client's. */
  'legs-first': { on: 'place', ms: null },
  /** A cancel is taken, and done only after this long; until then the order can fill. */
  'slow-cancel': { on: 'cancel', ms: 1000 },
  /** Executions that are listed are listed twice from then on. */
  'duplicate-executions': { on: 'trades', ms: null },
  /** Executions that are listed are corrected, each once: another one beside it, its id's last part raised, for good. */
  'correct-executions': { on: 'trades', ms: null },
  /** Executions in an order that the seed gives. */
  'shuffled-executions': { on: 'trades', ms: null },
  /** An order that is taken is in no list of orders or trades for this long. */
  'invisible-order': { on: 'any', ms: 10_000 },
  /** A list of live orders that does not say it is complete, whatever is in it. */
  'snapshot-false': { on: 'orders', ms: null },
  /** A list of live orders that is empty whatever there is. It says that it is complete, unless `snapshot-false` is on too. */
  'empty-orders': { on: 'orders', ms: null },
  /** Orders that have ended are in no list of orders and known no more by their id, as after the end of the broker's session. */
  'ended-unlisted': { on: 'any', ms: null },
  /** 429, and 429 to every request for this long; without `ms` the limits' own penalty. */
  'pacing-429': { on: 'any', ms: null },
  /** The brokerage session ends just before the request is looked at; an init opens it again. */
  'session-loss': { on: 'any', ms: null },
  /** The login itself ends; only a person (POST /login) can bring it back. */
  'login-loss': { on: 'any', ms: null },
  /** Another login has taken the brokerage session; an init with `compete` takes it back. */
  competing: { on: 'any', ms: null },
  'no-bridge': { on: 'any', ms: null },
  /** 200 with {"error":"no session"}. */
  'no-session': { on: 'session', ms: null },
  /** What was asked is done; half of the answer arrives. */
  'truncated-json': { on: 'any', ms: null },
  /** Nothing is done; the answer is an HTML page with 404. */
  html: { on: 'any', ms: null },
  /** Faults of the WebSocket act on the frames that it sends: it breaks; */
  'socket-drop': { on: 'socket', ms: null },
  /** says nothing more, and stays open; */
  'socket-silence': { on: 'socket', ms: null },
  /** sends half a frame with a zero byte; */
  'socket-garbage': { on: 'socket', ms: null },
  /** says of every order that it has filled, and invents one. */
  'socket-lie': { on: 'socket', ms: null },
} as const satisfies Record<string, { on: Target; ms: number | null }>;
export type FaultKind = keyof typeof kinds;
export const faultKinds = Object.keys(kinds) as FaultKind[];

const requestSchema = z.strictObject({
  kind: z.enum(faultKinds),
  on: z.enum([...endpoints, 'any']).optional(),
  /** How often it acts; null: until it is cleared. */
  times: z.int().min(1).max(1_000_000).nullable().default(1),
  /** Matching requests that pass before it may act. */
  skip: z.int().min(0).max(1_000_000).default(0),
  /** Share of the matching requests on which it acts, chosen by the seed. */
  share: z.number().gt(0).max(1).default(1),
  seed: z.int().min(0).max(4_294_967_295).default(1),
  ms: z.int().min(0).max(86_400_000).optional(),
  accepted: z.boolean().default(false),
  messageIds: z.array(z.string().min(1).max(20)).min(1).max(10).default(['o354']),
});

export interface Fault {
  readonly id: number;
  readonly kind: FaultKind;
  readonly on: Target;
  readonly times: number | null;
  readonly skip: number;
  readonly share: number;
  readonly seed: number;
  /** Wall milliseconds; null where the kind has no length. */
  readonly ms: number | null;
  readonly accepted: boolean;
  readonly messageIds: readonly string[];
  /** Requests that matched, and on how many of them it acted. */
  readonly matched: number;
  readonly acted: number;
}

export interface Faults {
  /** @throws KeelError BAD_REQUEST naming what is wrong with the wish */
  add(wish: unknown): Fault;
  list(): readonly Fault[];
  /** Takes one back, or all of them. @returns how many there were */
  clear(id?: number): number;
  /** Counts a match for the oldest fault of this kind that can still act here; the fault when it acts. */
  take(kind: FaultKind, endpoint: Endpoint): Fault | null;
}

/** Numbers in [0, 1) by a seed: a linear congruential generator modulo 2^32, its high bits mixed in. */
export function seeded(seed: number): () => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state ^ (state >>> 15)) >>> 0) / 4_294_967_296;
  };
}

/** Each field with what is wrong with it. */
const wrongIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');

export function createFaults(): Faults {
  let entries: { fault: Fault; random: () => number }[] = [];
  let last = 0;
  const isSpent = ({ times, acted }: Fault): boolean => times !== null && acted >= times;
  return {
    add(wish) {
      const parsed = requestSchema.safeParse(wish);
      if (!parsed.success) throw new KeelError('BAD_REQUEST', `No fault was set: ${wrongIn(parsed.error)}.`);
      const { kind, on, ms, ...rest } = parsed.data;
      const targets = targetsOf(kind);
      if (on !== undefined && !targets.includes(on)) {
        const message = `No fault was set: ${kind} can never act on ${on}. It acts on ${targets.join(', ')}.`;
        throw new KeelError('BAD_REQUEST', message);
      }
      last += 1;
      const usual = kinds[kind];
      const counted = { matched: 0, acted: 0 };
      const fault = { id: last, kind, on: on ?? usual.on, ms: ms ?? usual.ms, ...rest, ...counted };
      entries.push({ fault, random: seeded(rest.seed) });
      return fault;
    },
    list: () => entries.map(({ fault }) => fault),
    clear(id) {
      const before = entries.length;
      entries = id === undefined ? [] : entries.filter(({ fault }) => fault.id !== id);
      return before - entries.length;
    },
    take(kind, endpoint) {
      const entry = entries.find(
        ({ fault }) =>
          fault.kind === kind && !isSpent(fault) && (fault.on === 'any' || fault.on === endpoint),
      );
      if (entry === undefined) return null;
      const { fault } = entry;
      const matched = fault.matched + 1;
      const acts = matched > fault.skip && entry.random() < fault.share;
      entry.fault = { ...fault, matched, acted: fault.acted + Number(acts) };
      return acts ? entry.fault : null;
    },
  };
}
