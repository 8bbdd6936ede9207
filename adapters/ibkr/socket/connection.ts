// One connection of the gateway's WebSocket, over the same pinned TLS as every request: from the handshake to its end,
// which may come by silence. Called by feed.ts.
import type { Agent } from 'node:https';
import { WebSocket } from 'ws';
import type { Clock } from '../../../ports/clocks.js';
import { parseJson } from '../../../domain/money/parseJson.js';
import type { Timer } from '../timer.js';

export interface ConnectionOptions {
  /** wss, with the query that OAuth wants. */
  readonly url: string;
  readonly agent: Agent;
  /** What tickle answered, and how the cookie holds it. */
  readonly sessionId: string;
  readonly cookie: string;
  readonly handshakeMs: number;
  readonly timer: Timer;
  readonly clock: Clock;
  /** How much faster than the machine's the gateway's clocks run; divides the waits below. */
  readonly clockFactor: number;
  /** Hears every frame that is a JSON object. */
  readonly onFrame: (frame: Readonly<Record<string, unknown>>) => void;
  /** Hears once that it is over, for whatever reason. */
  readonly onEnd: () => void;
}

export interface Connection {
  send(text: string): void;
  end(): void;
}

/** The gateway's heart beats every 10 s; three missed beats are an end. Wall milliseconds. */
const silenceMs = 35_000;
/** IBKR wants to hear something once a minute. */
const ticMs = 50_000;
const mostBytes = 1024 * 1024;

export function connectSocket(options: ConnectionOptions): Connection {
  const { timer, clock, clockFactor } = options;
  const socket = new WebSocket(options.url, {
    agent: options.agent,
    headers: { Cookie: options.cookie, 'User-Agent': 'keel' },
    handshakeTimeout: options.handshakeMs,
    maxPayload: mostBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let heardAt = clock.now();
  let over = false;
  let named = false;
  let cancel = (): void => undefined;

  const send = (text: string): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  };
  const watch = (): void => {
    cancel = timer.after(silenceMs / clockFactor / 5, () => {
      if (clock.now() - heardAt > silenceMs / clockFactor) socket.terminate();
      else watch();
    });
  };
  let cancelTic = (): void => undefined;
  const tic = (): void => {
    cancelTic = timer.after(ticMs / clockFactor, () => {
      send('tic');
      tic();
    });
  };
  socket.on('open', () => {
    heardAt = clock.now();
    tic();
  });
  socket.on('message', (data: Buffer) => {
    heardAt = clock.now();
    const frame = parseJson(data.toString('utf8'));
    if (typeof frame !== 'object' || frame === null || Array.isArray(frame) || over) return;
    if ('message' in frame && frame.message === 'waiting for session') {
      // Asked again, the name is of a session that is gone, as after an init: the next connection begins with the new one's.
      if (named) socket.terminate();
      else send(JSON.stringify({ session: options.sessionId }));
      named = true;
    }
    options.onFrame(frame as Readonly<Record<string, unknown>>);
  });
  // The end tells of it too.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    cancel();
    cancelTic();
    if (over) return;
    over = true;
    options.onEnd();
  });
  watch();
  return {
    send,
    end() {
      over = true;
      cancel();
      cancelTic();
      socket.terminate();
    },
  };
}
