// Numbers as a chart writes them. Without Intl, so that a picture does not depend on the machine's language data.

/** Digits after the point that a price of this size deserves. */
function priceDigits(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude >= 1 || magnitude === 0) return 2;
  return magnitude >= 0.01 ? 4 : 6;
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** 2711.4 as "2,711.40"; `digits` are those after the point. */
export function fixed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (text.includes('e')) return value.toExponential(3);
  const [whole = '0', fraction] = text.split('.');
  const sign = value < 0 && Number(text) !== 0 ? '-' : '';
  return `${sign}${grouped(whole)}${fraction === undefined ? '' : `.${fraction}`}`;
}

export const price = (value: number): string => fixed(value, priceDigits(value));

export const signed = (value: number, digits: number): string =>
  `${value > 0 ? '+' : ''}${fixed(value, digits)}`;

/** 26212000 as "26.2M". */
export function short(value: number): string {
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (Math.abs(value) >= unit) {
      const share = value / unit;
      return `${fixed(share, share >= 100 ? 0 : 1).replace(/\.0$/, '')}${name}`;
    }
  }
  return fixed(value, Number.isInteger(value) ? 0 : 1);
}

/** The step for about `count` round numbers between two ends: 1, 2, 2.5 or 5 times a power of ten. */
function niceStep(span: number, count: number): number {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}

export interface Ticks {
  readonly values: readonly number[];
  /** Digits after the point that tell two neighbours apart. */
  readonly digits: number;
}

/** Round numbers from `low` to `high`, both included where they are round. */
export function niceTicks(low: number, high: number, count: number): Ticks {
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values: number[] = [];
  for (let index = first; index <= last && values.length < 50; index += 1) values.push(index * step);
  const exponent = Math.floor(Math.log10(step));
  const twoDigits = Math.abs(step / 10 ** exponent - 2.5) < 1e-6;
  return { values, digits: Math.max(0, Math.min(12, -exponent + (twoDigits ? 1 : 0))) };
}
