// docs/monitors.md: every monitor, as often as the configuration has it look, and settings that there are.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import { configSchema } from '../config/schema.js';
import { variables } from '../config/variables.js';
import { monitorNames } from '../contracts/wire/monitor.js';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const text = readFileSync(path.join(root, 'docs/monitors.md'), 'utf8');
const rows = [...text.matchAll(/^\| `(\w+)` +\| ([\d,]+) s +\| `([\w.]+)`/gm)].map(
  ([, name, seconds = '', setting]) => [name, Number(seconds.replaceAll(',', '')) * 1000, setting] as const,
);

describe('docs/monitors.md', () => {
  it('has every monitor with its interval and its setting', () => {
    const { monitors, retention } = loadConfig({}, { need: ['monitors', 'retention'] });
    expect(rows).toEqual([
      ...monitorNames.map((name) => [name, monitors.everyMs[name], `monitors.everyMs.${name}`]),
      ['retention', retention.everyMs, 'retention.everyMs'],
    ]);
    expect(text).toContain(`\`monitors.catchUpMs\` (${String(monitors.catchUpMs / 1000)} s)`);
  });

  it('names variables that there are, and shows a setting that can be read', () => {
    const named = [...text.matchAll(/`(KEEL_[A-Z_]+)/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(4);
    for (const name of named) expect(Object.keys(variables)).toContain(name);
    const [, shown = ''] = /```yaml\n(.*?)```/s.exec(text) ?? [];
    const { monitors } = loadConfig({}, { need: ['monitors'] });
    const { monitors: own } = parse(shown) as { monitors: { everyMs: Record<string, number> } };
    const merged = { ...monitors, everyMs: { ...monitors.everyMs, ...own.everyMs } };
    expect(configSchema.shape.monitors.parse(merged)).toEqual(merged);
  });
});
