import { expect, it } from 'vitest';
import { createAudience } from './audience.js';

const welcome = { topic: 'system', success: 'user' };
const session = (authenticated: boolean) => ({ topic: 'sts', args: { authenticated } });

/** What a feed of one connection has sent after these frames. */
const sentAfter = (...frames: readonly object[]): readonly string[] => {
  const sent: string[] = [];
  const audience = createAudience(
    (text) => sent.push(text),
    () => undefined,
  );
  audience.begin();
  for (const frame of frames) audience.hear({ ...frame });
  return sent.map((text) => text.slice(0, 3));
};

it('subscribes once with a connection, wherever the gateway tells of the session', () => {
  expect(sentAfter(welcome, session(true), session(true))).toEqual(['sor', 'str']);
  expect(sentAfter(session(true), welcome)).toEqual(['sor', 'str']);
  expect(sentAfter(session(true))).toEqual([]);
});

it('subscribes anew once a session that had ended is there again', () => {
  expect(sentAfter(welcome, session(false))).toEqual(['sor', 'str']);
  expect(sentAfter(welcome, session(false), session(true))).toEqual(['sor', 'str', 'sor', 'str']);
  expect(sentAfter(session(false), welcome, session(true))).toEqual(['sor', 'str', 'sor', 'str']);
});

it('subscribes with each connection', () => {
  const sent: string[] = [];
  const audience = createAudience(
    (text) => sent.push(text),
    () => undefined,
  );
  for (const frame of [welcome, session(false)]) audience.hear(frame);
  audience.begin();
  audience.hear(session(true));
  expect(sent).toHaveLength(2);
  audience.hear(welcome);
  expect(sent).toHaveLength(4);
});
