// Contract ids of tickers whose prices come from a chain of sources: a ticker is written as a number, so that the same one has
// the same id in every process and nothing has to be remembered. Called by market.ts and by the front of the own API.

export interface Ticker {
  readonly conid: number;
  /** AAPL, BRK.B, BTC/USD. */
  readonly symbol: string;
  readonly kind: 'stock' | 'crypto';
}

/** A listing of the US, with the letter of its class where it has one. */
const stockForm = /^([A-Z]{1,5})(?:[.-]([A-Z]))?$/;
/** A coin in dollars. */
const cryptoForm = /^([A-Z0-9]{2,5})[/-]USD$/;
/** Both ranges lie above the ids of the replayed instruments and below 2^31. */
const FIRST_STOCK = 1_000_000_000;
const FIRST_CRYPTO = 1_500_000_000;
const LETTERS = ' ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SIGNS = `${LETTERS}0123456789`;
const STOCKS = LETTERS.length ** 6;
const COINS = SIGNS.length ** 5;

/** @returns null for what is no ticker */
export function tickerOf(text: string): Ticker | null {
  const upper = text.toUpperCase();
  const [, coin] = cryptoForm.exec(upper) ?? [];
  if (coin !== undefined)
    return { conid: FIRST_CRYPTO + encoded(coin.padEnd(5), SIGNS), symbol: `${coin}/USD`, kind: 'crypto' };
  const [, name, letter = ' '] = stockForm.exec(upper) ?? [];
  if (name === undefined) return null;
  const symbol = letter === ' ' ? name : `${name}.${letter}`;
  return { conid: FIRST_STOCK + encoded(name.padEnd(5) + letter, LETTERS), symbol, kind: 'stock' };
}

/** @returns null for an id that no ticker has */
export function tickerOfConid(conid: number): Ticker | null {
  const found = Number.isInteger(conid) ? tickerOf(textOf(conid)) : null;
  return found?.conid === conid ? found : null;
}

function textOf(conid: number): string {
  if (conid >= FIRST_CRYPTO && conid < FIRST_CRYPTO + COINS)
    return `${decoded(conid - FIRST_CRYPTO, SIGNS, 5).trimEnd()}/USD`;
  if (conid < FIRST_STOCK || conid >= FIRST_STOCK + STOCKS) return '';
  const text = decoded(conid - FIRST_STOCK, LETTERS, 6);
  return [text.slice(0, 5).trimEnd(), text.slice(5).trimEnd()].filter((part) => part !== '').join('.');
}

const encoded = (text: string, signs: string): number =>
  Array.from(text).reduce((value, sign) => value * signs.length + signs.indexOf(sign), 0);

function decoded(value: number, signs: string, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / signs.length))
    text = `${signs[rest % signs.length] ?? ''}${text}`;
  return text;
}
