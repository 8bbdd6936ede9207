// What the pool and its threads say to each other. Plain data: it is cloned between threads.
import type { ErrorClass } from '../../ports/errors.js';
import type { ChartRequest, RenderedChart } from '../../ports/chartRenderer.js';

export interface ThreadRequest {
  readonly id: number;
  readonly request: ChartRequest;
}

export type ThreadAnswer =
  | { readonly id: number; readonly chart: RenderedChart }
  | {
      readonly id: number;
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly errorClass: ErrorClass;
        readonly facts: Readonly<Record<string, string | number | boolean | null>>;
      };
    };
