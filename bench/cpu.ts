// CPU time and memory of process trees, as Linux tells them in /proc. Used by the phases of the benchmark.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process with its threads and children, under a name of the report. */
export type Trees = Readonly<Record<string, number>>;

export interface Usage {
  readonly wallMs: number;
  /** CPU milliseconds by the names of the trees, children that ended meanwhile included. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

interface Entry {
  readonly parent: number;
  readonly ticks: number;
}

/** Linux tells CPU times in hundredths of a second, whatever the kernel's own tick is. */
const tickMs = 10;

export const hasProc = (): boolean => existsSync('/proc/self/stat');

function readEntry(pid: string): Entry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold spaces: fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, and the same of children that have ended and were waited for.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), ticks };
  } catch {
    return null;
  }
}

function readTable(): Map<number, Entry> {
  const table = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? readEntry(name) : null;
    if (entry !== null) table.set(Number(name), entry);
  }
  return table;
}

function ticksOf(table: ReadonlyMap<number, Entry>, root: number): number {
  let sum = table.get(root)?.ticks ?? 0;
  for (const [pid, { parent }] of table) if (parent === root) sum += ticksOf(table, pid);
  return sum;
}

function cpuOf(trees: Trees): Record<string, number> {
  const table = readTable();
  return Object.fromEntries(
    Object.entries(trees).map(([name, root]) => [name, ticksOf(table, root) * tickMs]),
  );
}

/** Runs `work`, and tells what it took: on the wall, and of the CPU in each tree. */
export async function measured<T>(
  trees: Trees,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly usage: Usage }> {
  const before = cpuOf(trees);
  const began = performance.now();
  const result = await work();
  const wallMs = performance.now() - began;
  const cpuMs = Object.fromEntries(
    Object.entries(cpuOf(trees)).map(([name, ms]) => [name, ms - (before[name] ?? 0)]),
  );
  return { result, usage: { wallMs, cpuMs } };
}

export const total = ({ cpuMs }: Usage): number => Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);

/** Of two measurements of the same trees. */
export const mean = (a: Usage, b: Usage): Usage => ({
  wallMs: (a.wallMs + b.wallMs) / 2,
  cpuMs: Object.fromEntries(
    Object.entries(a.cpuMs).map(([name, ms]) => [name, (ms + (b.cpuMs[name] ?? NaN)) / 2]),
  ),
});

/** The most memory that a process has had in RAM so far, in megabytes of 1,048,576 bytes. */
export function peakMemoryMb(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  return Number(line?.[1] ?? NaN) / 1024;
}

/** What a process and its children have in RAM now, in megabytes of 1,048,576 bytes; shared pages count in each. */
export function memoryMb(root: number): number {
  const table = readTable();
  const sum = (pid: number): number =>
    residentMb(pid) +
    [...table].filter(([, { parent }]) => parent === pid).reduce((all, [child]) => all + sum(child), 0);
  return sum(root);
}

/** One process without its children: what it has in RAM now, and the CPU milliseconds of its life. */
export function alone(pid: number): { readonly memoryMb: number; readonly cpuMs: number } {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return { memoryMb: residentMb(pid), cpuMs: (Number(user) + Number(system)) * tickMs };
}

function residentMb(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) / 1024;
  } catch {
    // It has ended since it was listed.
    return 0;
  }
}
