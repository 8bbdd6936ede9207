// How figures and the aims that they are held to are written. Called by report.ts and brokerReport.ts.
export interface Aim {
  readonly name: string;
  readonly value: number;
  readonly aim: string;
  readonly met: boolean;
}

export const below = (name: string, value: number, limit: number, unit: string): Aim => ({
  name,
  value,
  aim: `< ${String(limit)}${unit === '' ? '' : ` ${unit}`}`,
  met: value < limit,
});

export const number = (value: number, digits = 1): string =>
  Number.isNaN(value) ? '-' : value.toFixed(value >= 1000 ? 0 : digits);
