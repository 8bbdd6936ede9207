// A simulator with a long past: the ledger of many orders over many market days is written, then a simulator starts with it.
// Tells how long such a start takes, and what of all those orders stays in memory. Called by the runner.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMachineClock } from '../adapters/clocks/machine.js';
import { createNyseCalendar } from '../domain/market/nyse.js';
import { loadInstruments } from '../simulator/data.js';
import { createEngine, foldInto } from '../simulator/engine.js';
import type { Engine } from '../simulator/engine.js';
import { createMarket } from '../simulator/exchange/market.js';
import { emptyState } from '../simulator/exchange/state.js';
import type { ExchangeEvent } from '../simulator/exchange/types.js';
import { openLedger } from '../simulator/ledger.js';
import { memoryMb } from './cpu.js';
import type { Servers } from './servers.js';
import { accountId, startSimulatorIn } from './simulator.js';

export interface LongLedgerTiming {
  readonly orders: number;
  readonly marketDays: number;
  readonly lines: number;
  /** Wall milliseconds from the start of the process to its line of readiness. */
  readonly startMs: number;
  /** What the process has in RAM then, before anything was collected. */
  readonly startedMb: number;
  /** The heap of an exchange that lives through it, garbage collected: after a tenth of the orders, and after all. */
  readonly tenthMb: number;
  readonly allMb: number;
}

const orders = 100_000;
const perDay = 500;
const coin = 900_000_004;
const firstDay = Date.parse('2015-01-05T15:00:00.000Z');
const dayMs = 86_400_000;
/** Lines of one write, so that not each order waits for the disk. */
const linesAtOnce = 1000;
const costs = {
  slippage: '0.0005',
  spread: '0',
  commissionPerShare: '0.005',
  commissionMinimum: '1',
  volumeShare: null,
  settlementSessions: 0,
};

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}

/** Orders of all kinds of ends: filled, cancelled, expired. */
function write(directory: string): Pick<LongLedgerTiming, 'lines' | 'tenthMb' | 'allMb'> {
  mkdirSync(directory, { recursive: true });
  const calendar = createNyseCalendar();
  const market = createMarket(calendar, loadInstruments(calendar));
  const state = emptyState(market.firstInstant);
  const file = openLedger(join(directory, 'ledger.jsonl'), createMachineClock(), foldInto(state));
  const waiting: ExchangeEvent[] = [];
  let lines = 0;
  const flush = (): void => {
    file.append(waiting.splice(0));
  };
  const ledger = {
    lines: 0,
    isOpen: () => true,
    append: (events: readonly ExchangeEvent[]) => {
      lines += events.length;
      if (waiting.push(...events) >= linesAtOnce) flush();
    },
  };
  const engine = createEngine({ market, costs, state, ledger, accounts: [accountId], cash: '1000000000' });
  let tenthMb = NaN;
  for (let index = 0; index < orders; index += 1) {
    if (index === orders / 10) tenthMb = heapMb();
    if (index % perDay === 0) engine.step(new Date(firstDay + (index / perDay) * dayMs).toISOString());
    placeOne(engine, index);
  }
  flush();
  file.close();
  const allMb = heapMb();
  // The engine is asked once more, so that nothing of it is collected before it is weighed.
  if (engine.state.orderCount !== orders) throw new Error('not all orders of the benchmark were taken');
  return { lines, tenthMb, allMb };
}

function placeOne(engine: Engine, index: number): void {
  const kind = index % 4;
  const result = engine.place(accountId, [
    {
      conid: coin,
      side: kind === 1 ? 'SELL' : 'BUY',
      orderType: kind < 2 ? 'MKT' : 'LMT',
      tif: kind === 2 ? 'GTC' : 'DAY',
      quantity: '1',
      price: kind < 2 ? null : '1',
      cOID: `BENCH${String(index).padStart(21, '0')}`,
      parent: null,
    },
  ]);
  if (!result.placed) throw new Error(`the exchange refused an order of the benchmark: ${result.text}`);
  const [row] = result.rows;
  if (kind === 2 && row?.accepted === true) engine.cancel(row.order.orderId);
}

export async function benchLongLedger(servers: Servers): Promise<LongLedgerTiming> {
  const written = write(join(servers.folder, 'long', 'simulator'));
  const begunAt = performance.now();
  const simulator = await startSimulatorIn(servers, 'long', 1);
  try {
    const startMs = performance.now() - begunAt;
    return { orders, marketDays: orders / perDay, startMs, startedMb: memoryMb(simulator.pid), ...written };
  } finally {
    await simulator.stop();
  }
}
