// Where the date axis has its labels, and what they say. Pure; labels never come closer than `minimumGap` pixels.

export interface DateTick {
  /** Position among the drawn bars. */
  readonly index: number;
  readonly label: string;
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const minimumGap = 62;
/** The widest label, "31 Dec 2018", is about 76 pixels; half of it has to fit at both ends. */
const edge = 30;

/** Months since year 0 of a bar's day in UTC, which for a session's open is its day in New York too. */
const monthOf = (time: string): number => Number(time.slice(0, 4)) * 12 + Number(time.slice(5, 7)) - 1;

function monthLabel(month: number, first: boolean, step: number): string {
  const year = Math.floor(month / 12);
  if (step >= 12) return String(year);
  const name = monthNames[month % 12] ?? '';
  return first || month % 12 === 0 ? `${name} ${year}` : name;
}

/** Bars that begin a month divisible by `step`, the first bar excepted: its month may have begun before it. */
function monthStarts(times: readonly string[], step: number): { index: number; month: number }[] {
  const starts: { index: number; month: number }[] = [];
  let bucket = Math.floor(monthOf(times[0] ?? '') / step);
  for (const [index, time] of times.entries()) {
    const month = monthOf(time);
    const own = Math.floor(month / step);
    if (own !== bucket) starts.push({ index, month });
    bucket = own;
  }
  return starts;
}

const apart = (indexes: readonly number[], barWidth: number): boolean =>
  indexes.every((index, at) => at === 0 || (index - (indexes[at - 1] ?? 0)) * barWidth >= minimumGap);

const inside = (index: number, count: number, barWidth: number): boolean =>
  (index + 0.5) * barWidth >= edge && (count - index - 0.5) * barWidth >= edge;

function dayTicks(times: readonly string[], barWidth: number): DateTick[] {
  const step = Math.max(1, Math.ceil(minimumGap / barWidth));
  const ticks: DateTick[] = [];
  const single = times.length === 1;
  for (const [index, time] of times.entries()) {
    if (index % step !== Math.floor(step / 2) % step && !single) continue;
    if (!inside(index, times.length, barWidth)) continue;
    const day = `${Number(time.slice(8, 10))} ${monthNames[Number(time.slice(5, 7)) - 1] ?? ''}`;
    ticks.push({ index, label: day });
  }
  return ticks;
}

/**
 * Labels for bars `barWidth` pixels apart: days for a few weeks, else months, quarters or years. The first label
 * and every January carry the year.
 *
 * @param times ISO 8601 UTC, oldest first, at least one.
 */
export function dateTicks(times: readonly string[], barWidth: number): readonly DateTick[] {
  for (const step of [1, 2, 3, 6, 12, 24, 60, 120]) {
    const starts = monthStarts(times, step).filter(({ index }) => inside(index, times.length, barWidth));
    if (step === 1 && starts.length < 3) return dayTicks(times, barWidth);
    if (
      !apart(
        starts.map(({ index }) => index),
        barWidth,
      )
    )
      continue;
    return starts.map(({ index, month }, at) => ({ index, label: monthLabel(month, at === 0, step) }));
  }
  return [];
}
