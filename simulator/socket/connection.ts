// One connection of the WebSocket: who it is, what it has subscribed to, and the frames that it gets. Called by socket.ts.
import type { WebSocket } from 'ws';
import type { Portal } from '../clientPortal/portal.js';
import { fieldsOf } from '../clientPortal/portal.js';
import { brokerTime } from '../clientPortal/sessionClock.js';
import { ordersTopic, quoteTopic, tradesTopic } from './frames.js';
import type { Row, Topic } from './frames.js';

/** Between two heartbeats, broker milliseconds. */
const HEARTBEAT_MS = 10_000;

export interface Connection {
  /** Sends what is due. Called again and again while the connection stands. */
  look(): void;
}

/** @param sessionId what the cookie named; null where it named nothing */
export function openConnection(portal: Portal, socket: WebSocket, sessionId: string | null): Connection {
  const { session, faults } = portal;
  const topics = new Map<string, Topic>();
  let known = false;
  let subscribed = 0;
  let muted = false;
  let authenticated: boolean | null = null;
  let epoch = session.id;
  /** What was looked at last: nothing is due while nothing has changed. */
  let looked = '';
  let beatAt = brokerTime(portal) + HEARTBEAT_MS;

  function send(frame: Row): void {
    if (faults.take('socket-drop', 'socket') !== null) {
      socket.terminate();
      return;
    }
    muted ||= faults.take('socket-silence', 'socket') !== null;
    if (muted) return;
    const told =
      frame['topic'] === 'sor' && faults.take('socket-lie', 'socket') !== null ? lie(frame) : frame;
    const text = JSON.stringify(told);
    const garbage = faults.take('socket-garbage', 'socket') !== null;
    socket.send(garbage ? `${text.slice(0, Math.ceil(text.length / 2))}\u0000` : text);
  }

  /** Once the ledger cannot be written nothing may be told any more, and reading what was would end the process. */
  function stands(): boolean {
    const isSound = portal.engine.isSound();
    if (!isSound) socket.terminate();
    return isSound;
  }

  function identify(id: string | null): void {
    if (id !== session.id) {
      send({ message: 'waiting for session' });
      return;
    }
    known = true;
    epoch = session.id;
    send({ topic: 'system', success: 'simulator', isFT: false, isPaper: true });
    send({ topic: 'act', args: { accounts: portal.accounts, selectedAccount: session.account } });
  }

  /** A loss comes in three pieces. */
  function tellSession(): void {
    if (authenticated === session.authenticated && epoch === session.id) return;
    authenticated = session.authenticated;
    if (epoch !== session.id) topics.clear();
    epoch = session.id;
    const { competing } = session;
    const pieces = authenticated ? [{ authenticated }] : [{ authenticated }, { competing }, { message: '' }];
    for (const args of pieces) send({ topic: 'sts', args });
  }

  function hear(text: string): void {
    session.usedAt = brokerTime(portal);
    if (text === 'tic') return;
    if (text.startsWith('{')) {
      const id = fieldsOf(parsed(text))['session'];
      identify(typeof id === 'string' ? id : null);
      return;
    }
    const wish = /^([a-z]{3})(?:\+(\d+))?(?:\+(\{.*\}))?$/s.exec(text);
    const [, name = '', target = '', body = '{}'] = wish ?? [];
    const key = `${name.slice(1)}+${target}`;
    if (wish === null) send({ error: `Bad Request: ${text.slice(0, 40)}` });
    else if (name.startsWith('u')) topics.delete(key);
    else {
      const topic = topicOf(portal, name, Number(target), fieldsOf(parsed(body)));
      if (topic === null || !session.authenticated) send({ error: 'no bridge', topic: name });
      else topics.set(key, topic);
      subscribed += 1;
    }
  }

  socket.on('message', (data: Buffer) => {
    if (stands()) hear(data.toString('utf8'));
  });
  identify(sessionId);
  return {
    look() {
      if (!stands() || !known) return;
      const now = brokerTime(portal);
      if (now >= beatAt) {
        beatAt = now + HEARTBEAT_MS;
        send({ topic: 'system', hb: Math.floor(now) });
      }
      tellSession();
      if (!session.authenticated) return;
      const { engine, cancelling, hidden } = portal;
      const state = [engine.version, cancelling.size, topics.size, subscribed, session.filters].join(' ');
      if (state === looked && hidden.size === 0) return;
      looked = state;
      for (const topic of topics.values()) for (const frame of topic.due()) send(frame);
    },
  };
}

function topicOf(portal: Portal, name: string, conid: number, wish: Row): Topic | null {
  if (name === 'sor') return ordersTopic(portal);
  if (name === 'str') return tradesTopic(portal, wish);
  return name === 'smd' && conid > 0 ? quoteTopic(portal, conid, wish) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Says that every order has filled, and one that nobody placed. */
function lie(frame: Row): Row {
  const rows = Array.isArray(frame['args']) ? (frame['args'] as Row[]) : [];
  const invented = {
    acct: rows[0]?.['acct'],
    orderId: 999_999_999,
    conid: 265_598,
    side: 'BUY',
    totalSize: 1000,
  };
  const args = [...rows, invented].map((row) => ({
    ...row,
    status: 'Filled',
    filledQuantity: 1000,
    remainingQuantity: 0,
    avgPrice: '0.01',
  }));
  return { ...frame, args };
}
