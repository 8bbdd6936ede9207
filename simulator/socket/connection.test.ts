// One connection of the WebSocket over an exchange in memory: when its topics tell something, and when they must not.
import { EventEmitter } from 'node:events';
import { beforeEach, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { freshSession } from '../clientPortal/portal.js';
import type { Portal } from '../clientPortal/portal.js';
import { createEngine } from '../engine.js';
import type { Engine } from '../engine.js';
import { emptyState } from '../exchange/state.js';
import { createFaults } from '../faults.js';
import { ACCOUNT, CONID, costs, marketOf } from '../testing/exchange.js';
import { openConnection } from './connection.js';
import type { Connection } from './connection.js';

let isDiskFull = false;
let engine: Engine;
let portal: Portal;
let connection: Connection;
let socket: EventEmitter & { frames: Record<string, unknown>[]; ended: boolean };

beforeEach(() => {
  isDiskFull = false;
  const market = marketOf([[100, 101, 99, 100]]);
  const append = (): void => {
    if (isDiskFull) throw new Error('the disk is full');
  };
  engine = createEngine({
    ...{ market, costs, state: emptyState(market.firstInstant), accounts: [ACCOUNT], cash: '10000' },
    ledger: { lines: 0, append, isOpen: () => true },
  });
  portal = {
    ...{ engine, accounts: [ACCOUNT], clock: { now: () => 0 }, clockFactor: 1, startedAt: 0, live: null },
    ...{ midnightReset: false, faults: createFaults(), limitsFactor: 1, session: freshSession(ACCOUNT, 0) },
    ...{ penalty: { until: 0, refused: 0 }, hidden: new Map(), cancelling: new Set(), doubled: new Set() },
  };
  const frames: Record<string, unknown>[] = [];
  socket = Object.assign(new EventEmitter(), {
    ...{ frames, ended: false },
    send: (text: string) => frames.push(JSON.parse(text) as Record<string, unknown>),
    terminate: () => {
      socket.ended = true;
    },
  });
  connection = openConnection(portal, socket as unknown as WebSocket, portal.session.id);
});

const hear = (text: string): void => {
  socket.emit('message', Buffer.from(text));
};
const told = (): number => socket.frames.filter(({ topic }) => topic === 'sor').length;
const place = (cOID: string): void => {
  const terms = { conid: CONID, side: 'BUY', orderType: 'LMT', tif: 'GTC', quantity: '1' } as const;
  engine.place(ACCOUNT, [{ ...terms, price: '90', cOID, parent: null }]);
};

it('tells of orders, but not while a filter of the list of orders sticks', () => {
  hear('sor+{}');
  place('one');
  connection.look();
  expect(told()).toBe(1);
  portal.session.filters = ['filled'];
  place('two');
  connection.look();
  expect(told()).toBe(1);
  portal.session.filters = [];
  connection.look();
  expect(told()).toBe(2);
});

it('ends where the ledger could not be written, and nothing else falls with it', () => {
  hear('sor+{}');
  isDiskFull = true;
  expect(() => {
    place('lost');
  }).toThrow('the disk is full');
  hear('str+{}');
  connection.look();
  expect(socket.ended).toBe(true);
  expect(told()).toBe(0);
});

const framesOf = (topic: string): Record<string, unknown>[] =>
  socket.frames.filter((frame) => frame['topic'] === topic);

it('says first that it waits for a session, and then once whose it is', () => {
  hear(JSON.stringify({ session: portal.session.id }));
  connection.look();
  expect(socket.frames).toEqual([
    { message: 'waiting for session' },
    { topic: 'system', success: 'simulator', isFT: false, isPaper: true },
    { topic: 'act', args: { accounts: [ACCOUNT], selectedAccount: ACCOUNT } },
    { topic: 'sts', args: { authenticated: true } },
  ]);
  hear('{"session":"of somebody else"}');
  expect(socket.frames.at(-1)).toEqual({ message: 'waiting for session' });
});

it('answers each tic with the time of it', () => {
  hear('tic');
  expect(framesOf('tic')).toEqual([{ topic: 'tic', alive: true, id: portal.session.id, lastAccessed: 0 }]);
});

it('tells profit and loss once, and again when it has changed', () => {
  hear('spl');
  connection.look();
  expect(framesOf('spl')).toEqual([
    {
      topic: 'spl',
      args: { [`${ACCOUNT}.Core`]: { rowType: 1, dpl: 0, nl: 10000, upl: 0, uel: 10000, el: 10000, mv: 0 } },
    },
  ]);
  place('rests');
  connection.look();
  expect(framesOf('spl')).toHaveLength(1);
  const terms = { conid: CONID, side: 'BUY', orderType: 'LMT', tif: 'GTC', quantity: '1' } as const;
  engine.place(ACCOUNT, [{ ...terms, price: '100', cOID: 'fills', parent: null }]);
  connection.look();
  expect(framesOf('spl').at(-1)).toMatchObject({ args: { [`${ACCOUNT}.Core`]: { mv: 100 } } });
  hear('upl');
  engine.place(ACCOUNT, [{ ...terms, price: '100', cOID: 'fills-2', parent: null }]);
  connection.look();
  expect(framesOf('spl')).toHaveLength(2);
});

it('tells a history once, five at most, until it is ended by the id that it came with', () => {
  const ask = (conid: number): void => {
    hear(`smh+${conid}+{"period":"1w","bar":"1d"}`);
  };
  ask(CONID);
  connection.look();
  const [first] = framesOf(`smh+${CONID}`);
  expect(first).toMatchObject({ barLength: 86400, points: 0, data: [{ o: 100 }] });
  for (const other of [1, 2, 3, 4, 5]) ask(CONID + other);
  expect(framesOf('smh')).toEqual([
    { topic: 'smh', error: 'Too many history charts requests, please try again later.' },
  ]);
  hear(`umh+${String(first?.['serverId'])}`);
  expect(socket.frames.at(-1)).toEqual({ message: `Unsubscribed ${String(first?.['serverId'])}` });
  ask(CONID);
  connection.look();
  expect(framesOf(`smh+${CONID}`)).toHaveLength(2);
  expect(framesOf('smh')).toHaveLength(1);
});

it('says of a topic that it does not have that the request is bad, and not that there is no session', () => {
  hear('sbd+1');
  expect(socket.frames.at(-1)).toEqual({ error: 'Bad Request: topic sbd', topic: 'sbd' });
});
