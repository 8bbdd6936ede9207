// What the benchmark found of the simulator and of the IBKR client, as lines and beside its aims. Called by report.ts.
import { below, number } from './aims.js';
import type { Aim } from './aims.js';
import type { GatewayTiming } from './gateway.js';
import type { LongLedgerTiming } from './longLedger.js';
import type { SimulatorTiming } from './simulator.js';

export interface BrokerTiming {
  readonly simulator: SimulatorTiming;
  readonly ledger: LongLedgerTiming;
  readonly gateway: GatewayTiming;
}

/** What stays of an order is its client order id: 90,000 more may take no more than this. */
const FLAT_MB = 20;

export function brokerAims({ simulator, ledger, gateway }: BrokerTiming): Aim[] {
  const { perSecond, p99Ms } = simulator;
  return [
    { name: 'simulator, requests a second', value: perSecond, aim: '>= 200', met: perSecond >= 200 },
    below('simulator at 200 a second, p99', p99Ms, 50, 'ms'),
    below(
      `memory of ${String(ledger.orders * 0.9)} orders more`,
      ledger.allMb - ledger.tenthMb,
      FLAT_MB,
      'MB',
    ),
    { name: '429 at the limits of IBKR', value: gateway.limited, aim: '0', met: gateway.limited === 0 },
  ];
}

export function brokerLines({ simulator, ledger, gateway }: BrokerTiming): string[] {
  const { perSecond, p50Ms, p99Ms, accounts } = simulator;
  const { clientMs, bareMs, paced } = gateway;
  return [
    `The simulator, ${String(accounts)} accounts in mixed trading: ${number(perSecond)} requests a second; at a steady 200 a second ${number(p50Ms)} ms at p50, ${number(p99Ms)} ms at p99`,
    `it starts in ${number(ledger.startMs / 1000)} s on a ledger of ${String(ledger.orders)} orders in ${String(ledger.marketDays)} market days (${String(ledger.lines)} lines), with ${number(ledger.startedMb)} MB in RAM; living through it takes ${number(ledger.tenthMb)} MB of heap after a tenth of them, ${number(ledger.allMb)} MB after all`,
    `a call of the IBKR client ${number(clientMs, 2)} ms, a bare one of axios ${number(bareMs, 2)} ms (${number(clientMs / bareMs, 2)} times)`,
    `clients at the limits of IBKR, two to each of two gateways: ${String(paced.reads)} reads of ${String(paced.symbols)} symbols, ${number(paced.perSecond)} a second, ${String(gateway.limited)} answered 429`,
    '',
  ];
}
