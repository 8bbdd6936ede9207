// PricesPort over a chain of sources, asked in their order: the first usable price counts. Where the market is simulated at
// another time, its own sources come before those of today. Answers for a minute from the cache; many askers of one symbol share one request; while nobody answers, the last price goes out as stale.
import type { Mode } from '../../contracts/wire/names.js';
import type { Calendar } from '../../domain/market/calendarTypes.js';
import { isOfEarlierSession } from '../../domain/market/priceAge.js';
import type { CachePort } from '../../ports/cache.js';
import type { Clock, MarketClock, MarketTime } from '../../ports/clocks.js';
import { KeelError } from '../../ports/errors.js';
import type {
  Price,
  PriceProblem,
  PricesPort,
  PriceSource,
  PriceSourceName,
  SourceBatch,
} from '../../ports/prices.js';
import { createKeptPrices, type Kept, type KeptPrices } from './kept.js';
import { createMemories, type Memories } from './memory.js';
import { inCurrency, ofNow, problem, refusal } from './refusals.js';
import { inOrder, seen } from './times.js';

export interface PriceChainOptions {
  /** Names what is kept, beside the symbol. */
  readonly mode: Mode;
  /** In the order in which they are asked; at least one. */
  readonly sources: readonly PriceSource[];
  readonly cache: CachePort;
  readonly clock: Clock;
  readonly marketClock: MarketClock;
  readonly calendar: Calendar;
  /** The one currency of prices, ISO 4217: a price in another one is refused, never converted. */
  readonly currency: string;
  /** A price is given from the cache for so long, and kept as the last known one for so long, milliseconds. */
  readonly freshMs: number;
  readonly keepMs: number;
}

/** Symbols of one batch that are asked side by side. */
const atOnce = 4;
/** No more are begun after this, wall milliseconds: whoever asked for the batch waits for it. */
const batchMs = 20_000;

interface Question {
  readonly symbol: string;
  readonly asker: string | undefined;
  /** What a source that takes many at once has said of the symbols of a batch; null for one that is asked for alone. */
  readonly together: Together | null;
  /** Whether a source was not asked because this asker has had his part of its budget. */
  hasHitShare: boolean;
}

interface Together {
  readonly source: PriceSourceName;
  readonly answers: SourceBatch;
  /** Of the market when they were asked for: once it is stepped they are of the past. */
  readonly step: number;
}

interface Parts extends PriceChainOptions {
  readonly kept: KeptPrices;
  readonly memories: Memories;
}

type Found = Omit<Kept, 'mode'>;

/** One question that all who ask for its symbol meanwhile share. */
interface Flight {
  readonly question: Question;
  readonly answer: Promise<Price>;
}

export function createPriceChain(options: PriceChainOptions): PricesPort {
  const { sources, clock, ...keeping } = options;
  const parts: Parts = {
    ...options,
    kept: createKeptPrices({ ...keeping, sources: sources.map(({ name }) => name) }),
    memories: createMemories(sources, clock),
  };
  const underWay = new Map<string, Flight>();
  const price = async (symbol: string, asker?: string, together: Together | null = null): Promise<Price> => {
    const running = underWay.get(symbol);
    if (running !== undefined) {
      await running.answer.catch(() => undefined);
      // What the other one has used up is not this one's.
      const isOwn = running.question.asker === asker || !running.question.hasHitShare;
      return isOwn ? running.answer : price(symbol, asker, together);
    }
    const question: Question = { symbol, asker, together, hasHitShare: false };
    const answer = priceOf(parts, question).finally(() => underWay.delete(symbol));
    underWay.set(symbol, { question, answer });
    return answer;
  };
  return {
    price: (symbol, asker) => price(symbol, asker),
    batch: async (symbols, asker) => {
      const asked = [...new Set(symbols)];
      const answers: (Price | PriceProblem)[] = [];
      const lastStart = clock.now() + batchMs;
      let together: Together | null = null;
      for (let rest = asked; rest.length > 0; rest = rest.slice(atOnce)) {
        const group = rest.slice(0, atOnce);
        const late = clock.now() > lastStart;
        if (late) {
          answers.push(...group.map(lateOf));
          continue;
        }
        together ??= await askTogether(parts, rest, asker).catch(noneOf);
        const shared = together;
        const part = group.map((symbol) => price(symbol, asker, shared).catch(problemOf(symbol)));
        answers.push(...(await Promise.all(part)));
      }
      return {
        prices: answers.filter((answer): answer is Price => 'price' in answer),
        problems: answers.filter((answer): answer is PriceProblem => 'code' in answer),
      };
    },
    memory: parts.memories.all,
  };
}

const lateOf = (symbol: string): PriceProblem => ({
  symbol,
  code: 'PRICES_LATE',
  detail: `The sources are slow: ${symbol} was not asked for within ${String(batchMs / 1000)} s. Ask again, or for fewer.`,
});

const problemOf =
  (symbol: string) =>
  (error: unknown): PriceProblem => {
    if (!(error instanceof KeelError)) throw error;
    return { symbol, code: error.code, detail: error.message };
  };

/** What went wrong for all, as a clock of the market that is away, each symbol meets alone and has as its own problem. */
function noneOf(error: unknown): null {
  if (!(error instanceof KeelError)) throw error;
  return null;
}

async function priceOf(parts: Parts, question: Question): Promise<Price> {
  const { kept, marketClock } = parts;
  const { symbol } = question;
  const market = await marketClock.now();
  const known = await keptOf(parts, symbol, market);
  if (known instanceof KeelError) throw known;
  if (known !== null) return seen(parts, known, market);
  try {
    const found = await ask(parts, question, market);
    await kept.put(found);
    return seen(parts, found, market);
  } catch (error) {
    if (!(error instanceof KeelError)) throw error;
    if (error.code === 'PRICE_UNKNOWN_SYMBOL' && error.errorClass === 'final') {
      await kept.putUnknown(symbol, market.step, error.message);
    }
    if (error.errorClass !== 'retryable') throw error;
    const last = await kept.last(symbol);
    if (last === null) throw error;
    return seen(parts, last, market, error.message);
  }
}

/** What is kept of a symbol: a price that still counts, or that no source knows it; null where the sources have to be asked. */
async function keptOf(parts: Parts, symbol: string, market: MarketTime): Promise<Found | KeelError | null> {
  const { kept, clock, freshMs } = parts;
  const cached = await kept.fresh(symbol);
  const isFresh = cached !== null && clock.now() - Date.parse(cached.price.fetchedAt) < freshMs;
  if (isFresh && cached.step === market.step) return cached;
  const unknown = await kept.unknown(symbol, market.step);
  return unknown === null ? null : new KeelError('PRICE_UNKNOWN_SYMBOL', unknown, { facts: { symbol } });
}

/** Of what is not kept, where the source that is asked first takes many at once; null where it does not. */
async function askTogether(
  parts: Parts,
  symbols: readonly string[],
  asker: string | undefined,
): Promise<Together | null> {
  if (symbols.length < 2 || parts.sources.every(({ prices }) => prices === undefined)) return null;
  const market = await parts.marketClock.now();
  const usable = inOrder(parts.sources, parts, market).filter(
    ({ source }) => parts.memories.resting(source.name) === null,
  );
  const source = usable[0]?.source;
  if (source?.prices === undefined) return null;
  const known = await Promise.all(symbols.map((symbol) => keptOf(parts, symbol, market)));
  const asked = symbols.filter((_symbol, index) => known[index] === null);
  const answers: SourceBatch = asked.length === 0 ? new Map() : await source.prices(asked, asker);
  return { source: source.name, answers, step: market.step };
}

/** The first price of the right currency and session; else the newest of an earlier session. */
async function ask(parts: Parts, question: Question, market: MarketTime): Promise<Found> {
  const { memories, clock, calendar } = parts;
  const { symbol, asker } = question;
  const together = question.together?.step === market.step ? question.together : null;
  const failures: KeelError[] = [];
  let old: Found | null = null;
  for (const { source, now, ofMarket } of inOrder(parts.sources, parts, market)) {
    // What is old in the market is nearer to it than what is of another time.
    if (old !== null && !ofMarket) break;
    const said = together?.source === source.name ? together.answers.get(symbol) : undefined;
    const rest = said === undefined ? memories.resting(source.name) : null;
    if (rest !== null) {
      failures.push(problem('PRICE_LIMITED', rest, symbol));
      continue;
    }
    try {
      const given = said ?? (await source.price(symbol, asker));
      if (given instanceof KeelError) throw given;
      const found = ofNow(source, now, inCurrency(parts.currency, source, given));
      memories.answered(source.name);
      const fetchedAt = new Date(clock.now()).toISOString();
      const answer: Found = { price: { ...found, source: source.name, fetchedAt }, step: market.step };
      if (!isOfEarlierSession(found.symbol, found.at, now, calendar)) return answer;
      if (old === null || found.at > old.price.at) old = answer;
    } catch (error) {
      if (!(error instanceof KeelError)) throw error;
      if (error.code === 'PRICE_SHARE') question.hasHitShare = true;
      memories.failed(source.name, error);
      failures.push(error);
    }
  }
  if (old !== null) return old;
  throw refusal(symbol, failures);
}
