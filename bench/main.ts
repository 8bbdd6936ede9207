// `npm run bench`: measures indicators, charts, whole runs and their yardstick, and prints them beside their aims.
// Called by scripts/bench.mjs, which has done the set-up. An aim that is missed is no failure.
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Say } from '../cli/say.js';
import { sayTo } from '../cli/say.js';
import { benchCharts } from './charts.js';
import { hasProc, mean } from './cpu.js';
import { benchGateway } from './gateway.js';
import { benchIdle } from './idle.js';
import { benchIndicators } from './indicators.js';
import { benchLongLedger } from './longLedger.js';
import { benchModel } from './model.js';
import { benchNoop } from './noop.js';
import { benchPlatform } from './platform.js';
import type { Figures } from './report.js';
import { aimsOf, efficiencyOf, textOf } from './report.js';
import { startServers } from './servers.js';
import { benchSimulator } from './simulator.js';
import { benchStrategyRuns } from './strategyRuns.js';
import { benchWarmStart } from './warmStart.js';

const help = `Usage: npm run bench -- [options]

  --json FILE     writes the figures to FILE too
  --runs N        strategy runs and no-op workflows at once, 100 when not given
  --model-runs N  runs at once that ask a model, 200 when not given
  --pacing N      how many times IBKR's limits the simulator is used, 1000 when not given
  --warm-start    also times a second npm start -- --once
  --help          this text`;

interface Options {
  readonly json: string | null;
  readonly count: number;
  readonly modelCount: number;
  readonly pacingFactor: number;
  readonly warmStart: boolean;
  readonly help: boolean;
}

/**
 * @param argv without node and script
 * @returns the exit code: 0 when everything could be measured, 1 when not, 2 for wrong use
 */
export async function main(argv: readonly string[]): Promise<number> {
  const complain = sayTo(process.stderr);
  const options = optionsOf(argv, complain);
  if (options === null) return 2;
  if (options.help) {
    sayTo(process.stdout)(help);
    return 0;
  }
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
  try {
    const figures = await measure(options, complain);
    sayTo(process.stdout)(textOf(figures));
    if (options.json !== null) {
      const json = { ...figures, efficiency: efficiencyOf(figures), aims: aimsOf(figures) };
      writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`);
    }
    return 0;
  } catch (error) {
    complain(`bench: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function optionsOf(argv: readonly string[], complain: Say): Options | null {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        json: { type: 'string' },
        runs: { type: 'string', default: '100' },
        'model-runs': { type: 'string', default: '200' },
        pacing: { type: 'string', default: '1000' },
        'warm-start': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [count, pacingFactor] = [Number(values.runs), Number(values.pacing)];
    if (!Number.isInteger(count) || count < 1 || count > 100) throw new Error('--runs takes 1 to 100');
    const modelCount = Number(values['model-runs']);
    if (!Number.isInteger(modelCount) || modelCount < 1 || modelCount > 500) {
      throw new Error('--model-runs takes 1 to 500');
    }
    if (!(pacingFactor >= 1)) throw new Error('--pacing takes a number from 1');
    const json = values.json === undefined ? null : resolve(values.json);
    return { json, count, modelCount, pacingFactor, warmStart: values['warm-start'], help: values.help };
  } catch (error) {
    complain(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return null;
  }
}

async function measure(options: Options, say: Say): Promise<Figures> {
  if (!hasProc()) throw new Error('CPU times are read from /proc, which only Linux has');
  const cli = process.env['TEMPORAL_CLI_PATH'];
  if (cli === undefined || cli === '') throw new Error('TEMPORAL_CLI_PATH names no temporal program');
  const { count, modelCount, pacingFactor } = options;
  const machine = {
    cpus: availableParallelism(),
    load: loadavg()[0] ?? NaN,
    node: process.versions.node,
  };
  say('· indicators');
  const indicators = benchIndicators();
  say('· charts');
  const chart = await benchCharts();
  say('· a Keel with nothing to do, for a minute and a half');
  const idle = await benchIdle();
  say('· servers');
  const servers = await startServers(cli, say);
  try {
    say('· platform: /health, a cached price, notifications');
    const platform = await benchPlatform(servers);
    say('· simulator: a thousand accounts; the IBKR client');
    const broker = {
      simulator: await benchSimulator(servers),
      ledger: await benchLongLedger(servers),
      gateway: await benchGateway(servers),
    };
    say(`· ${String(count)} no-op workflows`);
    const before = await benchNoop(servers, 'before', count);
    say(`· ${String(count)} strategy runs`);
    const runs = await benchStrategyRuns(servers, count, pacingFactor);
    say(`· ${String(count)} no-op workflows again`);
    const noop = mean(before, await benchNoop(servers, 'after', count));
    say(`· ${String(modelCount)} runs that ask a model`);
    const model = await benchModel(servers, modelCount, pacingFactor);
    if (options.warmStart) say('· npm start -- --once, twice');
    const warmStartMs = options.warmStart ? await benchWarmStart() : null;
    return {
      machine,
      indicators,
      chart,
      count,
      pacingFactor,
      noop,
      runs,
      model,
      warmStartMs,
      platform,
      idle,
      broker,
    };
  } finally {
    await servers.stop();
  }
}
