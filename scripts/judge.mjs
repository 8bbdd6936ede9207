// Judges from outside what became of orders: reads the simulator's ledger as a file, the stored intents and their executions in
// PostgreSQL, and imports nothing of Keel. Called by hand and by tests/brokerFaults.test.ts.
//   node scripts/judge.mjs --ledger FILE --database URL
// Prints one JSON object and exits with 1 when an order is there twice, lost, foreign, booked wrongly or still unsettled,
// or an execution is not stored once as it was corrected last.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import pg from 'pg';

/** Hundred-millionths of a unit, exact: prices, quantities and cash have fewer decimals. */
const SCALE = 100_000_000n;
function exact(text) {
  const [, sign, whole, part = ''] = /^(-?)(\d+)(?:\.(\d{1,8}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${text} is no exact amount`);
  const value = BigInt(whole) * SCALE + BigInt(part.padEnd(8, '0'));
  return sign === '-' ? -value : value;
}

/** Lines of whole writes; the rest of a write that a crash cut off does not count. */
function readLedger(file) {
  const texts = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const lines = texts.map((text, index) => {
    const line = JSON.parse(text);
    if (line.seq !== index + 1) throw new Error(`line ${index + 1} of the ledger has number ${line.seq}`);
    return line;
  });
  return lines.slice(0, lines.findLastIndex((line) => line.left === 0) + 1);
}

/** More shares; of whole ones the fraction that is left, and of all what is below a ten-thousandth, is paid in cash. */
function split(accounts, { conid, numerator, denominator, price }) {
  for (const account of accounts.values()) {
    const before = account.held.get(conid) ?? 0n;
    const [more, less] = [BigInt(numerator), BigInt(denominator)];
    const unit = before % SCALE === 0n ? SCALE : SCALE / 10_000n;
    const after = ((before * more) / (less * unit)) * unit;
    const paid = ((before * more - after * less) * exact(price)) / (SCALE * less);
    account.held.set(conid, after);
    account.cash += paid - (paid % (SCALE / 100n));
  }
}

/** An execution keeps the id that it was told under first; what it was paid too much for, or too little, comes back. */
function correct(accounts, executions, line) {
  const first = executions.get(line.corrects);
  const more = (exact(line.quantity) * (exact(line.price) - exact(first.price))) / SCALE;
  accounts.get(line.account).cash += line.side === 'BUY' ? -more : more;
  executions.set(line.corrects, { ...first, price: line.price });
}

/** Plays the ledger anew: what is booked wrongly, and what each order and execution came to. */
function play(lines) {
  const accounts = new Map();
  const orders = new Map();
  const executions = new Map();
  const wrong = [];
  for (const line of lines) {
    if (line.type === 'account') accounts.set(line.account, { cash: exact(line.cash), held: new Map() });
    if (line.type === 'order') orders.set(line.orderId, { ...line, filled: 0n, ended: false });
    if (line.type === 'modify') orders.get(line.orderId).quantity = line.quantity;
    if (['cancel', 'expire', 'reject'].includes(line.type)) orders.get(line.orderId).ended = true;
    if (line.type === 'split') split(accounts, line);
    if (line.type === 'correction') correct(accounts, executions, line);
    if (line.type !== 'execution') continue;
    executions.set(line.executionId, line);
    const order = orders.get(line.orderId);
    const account = accounts.get(line.account);
    const units = exact(line.quantity);
    const sign = line.side === 'BUY' ? 1n : -1n;
    if (order.ended) wrong.push(`order ${line.orderId} filled after its end`);
    order.filled += units;
    if (order.filled > exact(order.quantity))
      wrong.push(`order ${line.orderId} filled more than it asked for`);
    const held = (account.held.get(line.conid) ?? 0n) + sign * units;
    account.held.set(line.conid, held);
    account.cash -= (sign * units * exact(line.price)) / SCALE + exact(line.commission);
    if (held < 0n) wrong.push(`${line.account} is short of ${line.symbol} after ${line.executionId}`);
    if (account.cash < 0n) wrong.push(`${line.account} has no cash left after ${line.executionId}`);
  }
  return { orders: [...orders.values()], executions, wrong };
}

/** States in which the broker has the order, and in which it never had it. */
const taken = ['ACKNOWLEDGED', 'FILLED', 'CANCELLED', 'EXPIRED'];
const untaken = ['INTENT', 'NOT_SENT', 'ABANDONED', 'REJECTED'];

/** Executions of our orders that are not stored as they were in the end, and stored ones that never were. */
function miscounted(executions, stored, isOurs) {
  const facts = ({ quantity, price }) => `${exact(quantity)} @ ${exact(price)}`;
  const kept = new Map(stored.map((row) => [row.id, facts(row)]));
  const missing = [...executions].filter(([id, line]) => isOurs(line.cOID) && !kept.has(id));
  const changed = [...kept].filter(([id, row]) => !executions.has(id) || facts(executions.get(id)) !== row);
  return [...missing, ...changed].map(([id]) => id);
}

function judge({ orders, executions, wrong }, { intents, stored }) {
  const count = new Map();
  for (const { cOID } of orders) if (cOID !== null) count.set(cOID, (count.get(cOID) ?? 0) + 1);
  const has = (id) => count.has(id);
  const ids = (states, there) =>
    intents.filter(({ state, id }) => states.includes(state) && has(id) === there).map(({ id }) => id);
  const known = new Set(intents.map(({ id }) => id));
  return {
    submitted: intents.length,
    orders: count.size,
    duplicates: [...count].filter(([, times]) => times > 1).map(([id]) => id),
    lost: ids(taken, false),
    unexpected: ids(untaken, true),
    foreign: [...count.keys()].filter((id) => !known.has(id)),
    unsettled: intents.filter(({ state }) => ![...taken, ...untaken].includes(state)).map(({ id }) => id),
    miscounted: miscounted(executions, stored, (id) => known.has(id)),
    wrong,
  };
}

async function readStored(url) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  await client.connect();
  try {
    const intents = await client.query('select client_order_id as id, state from order_intent');
    const executions = await client.query('select execution_id as id, quantity, price from execution');
    return { intents: intents.rows, stored: executions.rows };
  } finally {
    await client.end();
  }
}

const { values } = parseArgs({ options: { ledger: { type: 'string' }, database: { type: 'string' } } });
if (values.ledger === undefined || values.database === undefined) {
  process.stderr.write('Usage: node scripts/judge.mjs --ledger FILE --database URL\n');
  process.exit(2);
}
const verdict = judge(play(readLedger(values.ledger)), await readStored(values.database));
process.stdout.write(`${JSON.stringify(verdict)}\n`);
const lists = Object.values(verdict).filter(Array.isArray);
process.exitCode = lists.every((list) => list.length === 0) ? 0 : 1;
