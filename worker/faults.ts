// Kills the worker at a stated point, so that tests can prove what survives it: `worker --fault <point>:<activity>[:<call>]`
// in simulated mode. Points: start (before the activity), before (a named port call), after (that call), report (after the
// activity, before its result is reported), fail (after it has failed, before that is reported).
import { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { KeelError } from '../ports/errors.js';

export interface Fault {
  readonly point: 'start' | 'before' | 'after' | 'report' | 'fail';
  readonly activity: string;
  /** The port's method, for before and after; any when null. */
  readonly call: string | null;
}

const points = ['start', 'before', 'after', 'report', 'fail'] as const;

/** @throws KeelError BAD_FAULT (final). */
export function parseFault(text: string): Fault {
  const [point, activity, call] = text.split(':');
  const known = points.find((each) => each === point);
  if (known !== undefined && activity !== undefined && activity !== '') {
    return { point: known, activity, call: call ?? null };
  }
  throw new KeelError(
    'BAD_FAULT',
    `--fault takes start|before|after|report|fail:activity[:call], not ${text}`,
  );
}

const kill = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

export const faultInterceptor = (fault: Fault): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    const hit = Context.current().info.activityType === fault.activity;
    if (hit && fault.point === 'start') kill();
    try {
      const result: unknown = await next(input);
      if (hit && fault.point === 'report') kill();
      return result;
    } catch (error) {
      if (hit && fault.point === 'fail') kill();
      throw error;
    }
  },
});

type Methods = Record<string, unknown>;

/** Wraps every port of a record, so that its calls inside the named activity pass the fault's point. */
export function withFault<T extends object>(ports: T, fault: Fault): T {
  const wrapped = Object.entries(ports as Methods).map(([name, port]) => [
    name,
    isPort(port) ? guarded(port, fault) : port,
  ]);
  return Object.fromEntries(wrapped) as T;
}

const isPort = (value: unknown): value is Methods =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).some((part) => typeof part === 'function');

const guarded = (port: Methods, fault: Fault): Methods =>
  new Proxy(port, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== 'function' || typeof property !== 'string') return method;
      return (...args: unknown[]): unknown => {
        const hit = inActivity(fault.activity) && (fault.call === null || fault.call === property);
        if (hit && fault.point === 'before') kill();
        const result: unknown = Reflect.apply(method as (...given: unknown[]) => unknown, target, args);
        if (!hit || fault.point !== 'after') return result;
        return Promise.resolve(result).then((value) => {
          kill();
          return value;
        });
      };
    },
  });

function inActivity(name: string): boolean {
  try {
    return Context.current().info.activityType === name;
  } catch {
    return false;
  }
}
