// What one connection has subscribed to, and the words for it: `smd+CONID+{…}` begins a topic, `umd+CONID` ends it.
// Called by connection.ts.
import { HISTORY_AT_ONCE, TOO_MANY_HISTORIES } from '../clientPortal/limits.js';
import type { Portal } from '../clientPortal/portal.js';
import { fieldsOf } from '../clientPortal/portal.js';
import { historyTopic, ordersTopic, profitsTopic, quoteTopic, tradesTopic } from './frames.js';
import type { Row, Topic } from './frames.js';

export interface Subscriptions {
  /** Does what a client's text asks for, and tells it where it cannot. */
  hear(text: string): void;
  /** Another value once anything was subscribed to or ended. */
  version(): string;
  /** The frames that are due. */
  due(): readonly Row[];
  clear(): void;
}

export function createSubscriptions(portal: Portal, send: (frame: Row) => void): Subscriptions {
  const topics = new Map<string, Topic>();
  /** Which topic each history is, by the id that ends it. */
  const histories = new Map<string, string>();
  let begun = 0;

  function begin(name: string, target: string, wish: Row): void {
    const key = `${name.slice(1)}+${target}`;
    begun += 1;
    const id = String(begun);
    const isFull = name === 'smh' && !topics.has(key) && histories.size >= HISTORY_AT_ONCE;
    const topic = topicOf(portal, name, Number(target), wish, id);
    if (!portal.session.authenticated) send({ error: 'no bridge', topic: name });
    else if (isFull) send({ error: TOO_MANY_HISTORIES, topic: name });
    else if (topic === null) send({ error: `Bad Request: topic ${name}`, topic: name });
    else {
      topics.set(key, topic);
      if (name === 'smh') nameHistory(id, key);
    }
  }

  function nameHistory(id: string, key: string): void {
    for (const [other, known] of histories) if (known === key) histories.delete(other);
    histories.set(id, key);
  }

  function endHistory(id: string): void {
    topics.delete(histories.get(id) ?? '');
    histories.delete(id);
    send({ message: `Unsubscribed ${id}` });
  }

  return {
    hear(text) {
      const wish = /^([a-z]{3})(?:\+(\d+))?(?:\+(\{.*\}))?$/s.exec(text);
      const [, name = '', target = '', body = '{}'] = wish ?? [];
      if (wish === null) send({ error: `Bad Request: ${text.slice(0, 40)}` });
      else if (name === 'umh') endHistory(target);
      else if (name.startsWith('u')) topics.delete(`${name.slice(1)}+${target}`);
      else begin(name, target, fieldsOf(parsedOf(body)));
    },
    version: () => `${begun} ${topics.size}`,
    due: () => [...topics.values()].flatMap((topic) => topic.due()),
    clear() {
      topics.clear();
      histories.clear();
    },
  };
}

/** @param id ends a history. Null where there is no such topic, or none without a contract */
function topicOf(portal: Portal, name: string, conid: number, wish: Row, id: string): Topic | null {
  if (name === 'sor') return ordersTopic(portal);
  if (name === 'str') return tradesTopic(portal, wish);
  // Holdings at live prices are valued when they are asked for, by REST.
  if (name === 'spl' && portal.live === null) return profitsTopic(portal);
  if (name === 'smh' && conid > 0) return historyTopic(portal, conid, wish, id);
  return name === 'smd' && conid > 0 ? quoteTopic(portal, conid, wish) : null;
}

/** Null for what is no JSON. */
export function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
