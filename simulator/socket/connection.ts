// One connection of the WebSocket: who it is, what it has subscribed to, and the frames that it gets. Called by socket.ts.
import type { WebSocket } from 'ws';
import type { Portal } from '../clientPortal/portal.js';
import { fieldsOf } from '../clientPortal/portal.js';
import { brokerTime } from '../clientPortal/sessionClock.js';
import type { Row } from './frames.js';
import { createSubscriptions, parsedOf } from './subscriptions.js';

/** Between two heartbeats, broker milliseconds. */
const HEARTBEAT_MS = 10_000;

const waiting: Row = { message: 'waiting for session' };

export interface Connection {
  /** Sends what is due. Called again and again while the connection stands. */
  look(): void;
}

/** @param sessionId what the cookie named; null where it named nothing */
export function openConnection(portal: Portal, socket: WebSocket, sessionId: string | null): Connection {
  const { session, faults } = portal;
  let known = false;
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

  const subscriptions = createSubscriptions(portal, send);

  function identify(id: string | null): void {
    if (id !== session.id) {
      send(waiting);
      return;
    }
    // The cookie and a frame may both name it.
    if (known && epoch === session.id) return;
    known = true;
    epoch = session.id;
    send({ topic: 'system', success: 'simulator', isFT: false, isPaper: true });
    send({ topic: 'act', args: { accounts: portal.accounts, selectedAccount: session.account } });
  }

  /** A loss comes in three pieces. */
  function tellSession(): void {
    if (authenticated === session.authenticated && epoch === session.id) return;
    authenticated = session.authenticated;
    if (epoch !== session.id) subscriptions.clear();
    epoch = session.id;
    const { competing } = session;
    const pieces = authenticated ? [{ authenticated }] : [{ authenticated }, { competing }, { message: '' }];
    for (const args of pieces) send({ topic: 'sts', args });
  }

  function hear(text: string): void {
    session.usedAt = brokerTime(portal);
    if (text === 'tic') {
      send({ topic: 'tic', alive: true, id: session.id, lastAccessed: Math.floor(session.usedAt) });
      return;
    }
    if (text.startsWith('{')) {
      const id = fieldsOf(parsedOf(text))['session'];
      identify(typeof id === 'string' ? id : null);
      return;
    }
    subscriptions.hear(text);
  }

  socket.on('message', (data: Buffer) => {
    if (stands()) hear(data.toString('utf8'));
  });
  // Said at first also to who has named the session already.
  send(waiting);
  if (sessionId === session.id) identify(sessionId);
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
      const state = [engine.version, cancelling.size, subscriptions.version(), session.filters].join(' ');
      if (state === looked && hidden.size === 0) return;
      looked = state;
      for (const frame of subscriptions.due()) send(frame);
    },
  };
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
