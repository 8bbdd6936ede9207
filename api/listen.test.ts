import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { problem } from '../contracts/http/problem.js';
import { answerUnreadable, drain, listen } from './listen.js';

const told: string[] = [];
let reached = 0;
const server = createServer((_request, response) => {
  reached += 1;
  response.end('reached');
});
const log = { warn: (facts: object) => told.push(JSON.stringify(facts)) };
answerUnreadable(server, log);
afterAll(() => drain(server, log));

async function send(text: string): Promise<string> {
  const { port } = new URL(await url);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (part: Buffer) => (answer += part.toString()));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}
const url = listen(server, { host: '127.0.0.1', port: 0 });

describe('a request that Node can not read', () => {
  it.each([
    [
      431,
      'HEAD_TOO_LARGE',
      `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'secret'.repeat(4000)}\r\n\r\n`,
    ],
    [400, 'MALFORMED_REQUEST', 'NONSENSE / secret\r\n\r\n'],
  ])('is answered with %d %s as a problem, and told without what was sent', async (status, code, text) => {
    const [head = '', body = ''] = (await send(text)).split('\r\n\r\n');
    expect(head).toMatch(
      new RegExp(`^HTTP/1.1 ${String(status)} .*\r\nContent-Type: application/problem\\+json`),
    );
    expect(problem.parse(JSON.parse(body))).toMatchObject({
      status,
      code,
      type: `urn:keel:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    });
    expect(told.at(-1)).toContain(code);
    expect([`${body}${told.join()}`.includes('secret'), reached]).toEqual([false, 0]);
  });

  it('leaves alone what can be read', async () => {
    expect(await send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toContain('reached');
  });
});
