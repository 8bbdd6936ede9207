// A server that speaks OpenAI's Responses and chat completions APIs, for tests: it refuses what OpenAI would refuse,
// answers as the test says, and keeps its own log of what it was asked. Keel reaches it by its URL and knows no better.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentHash, readRequest, type Asked } from './validate.js';

export interface StubCall extends Asked {
  readonly api: 'responses' | 'chat';
  /** Of the whole request: two calls with the same hash asked the same. */
  readonly hash: string;
  readonly purpose: string;
  readonly key: string | null;
  /** Whether the whole answer was handed over. */
  completed: boolean;
}

/** What the stub does with one call. */
export type Reply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refusal' | 'length' | 'content_filter' | 'empty' }
  | {
      readonly kind: 'raw';
      readonly status: number;
      readonly body: string;
      readonly headers?: Record<string, string>;
    }
  /** Takes the question and never answers, until `release` is called or the other side goes. */
  | { readonly kind: 'silence' }
  /** Cuts the connection, before or within the answer. */
  | { readonly kind: 'drop'; readonly within: boolean };

export type Script = (call: StubCall, count: number) => Reply | Promise<Reply>;

export interface OpenaiStub {
  /** With /v1. */
  readonly url: string;
  readonly calls: StubCall[];
  /** Requests that OpenAI would have refused, with the reason. */
  readonly refused: string[];
  script: Script;
  close(): Promise<void>;
}

const usage = { input: 1200, output: 340 };

export async function startOpenaiStub(script: Script): Promise<OpenaiStub> {
  const calls: StubCall[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  // A starved machine may send on a connection that a server closes as idle; that is no answer of any script.
  server.keepAliveTimeout = 0;
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const api = { '/v1/responses': 'responses', '/v1/chat/completions': 'chat' }[request.url ?? ''] as
      'responses' | 'chat' | undefined;
    const problem = requestProblem(request, api);
    const body: unknown = JSON.parse(await readBody(request));
    const asked = readRequest(api ?? 'chat', body);
    if (api === undefined || problem !== null || 'message' in asked) {
      const message =
        problem ?? ('message' in asked ? `${asked.message} (${asked.param ?? ''})` : 'Not found');
      refused.push(message);
      send(response, 400, { error: { message, type: 'invalid_request_error', param: null, code: null } });
      return;
    }
    const call: StubCall = {
      ...asked,
      api,
      hash: contentHash(body),
      purpose: purposeOf(asked),
      key: request.headers.authorization ?? null,
      completed: false,
    };
    calls.push(call);
    response.on('finish', () => (call.completed = true));
    const same = calls.filter(({ purpose }) => purpose === call.purpose).length;
    respond(response, call, await stub.script(call, same));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stub: OpenaiStub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    refused,
    script,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return stub;
}

/** What a question is for, as its words say. */
const marks = [
  ['weekly', 'The weekly chart'],
  ['monthly', 'The monthly chart'],
  ['bull', 'You are the bull'],
  ['bear', 'You are the bear'],
  ['risk', 'You review the risk'],
] as const;

function purposeOf({ schemaName, text }: Asked): string {
  if (schemaName === 'decision') return 'decision';
  if (schemaName === 'verdict') return 'judge';
  return marks.find(([, words]) => text.includes(words))?.[0] ?? 'daily';
}

function requestProblem(request: IncomingMessage, api: string | undefined): string | null {
  if (api === undefined) return `Invalid URL (${request.method ?? ''} ${request.url ?? ''})`;
  if (request.method !== 'POST') return 'Only POST is allowed.';
  if (request.headers['content-type'] !== 'application/json') return 'Content-Type must be application/json.';
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? '')) return 'You must provide an API key.';
  if (request.headers['x-stainless-retry-count'] !== '0') return 'The SDK must not retry by itself.';
  return null;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': 'req_0123456789abcdef',
    'openai-version': '2020-10-01',
    'openai-processing-ms': '12',
    ...headers,
  });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function respond(response: ServerResponse, call: StubCall, reply: Reply): void {
  if (reply.kind === 'silence') return;
  if (reply.kind === 'raw') {
    send(response, reply.status, reply.body, reply.headers);
    return;
  }
  if (reply.kind === 'drop') {
    if (reply.within) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '4000' });
      response.write('{"id":');
    }
    setImmediate(() => response.destroy());
    return;
  }
  send(response, 200, call.api === 'chat' ? chatAnswer(call, reply) : responsesAnswer(call, reply));
}

type Said = Extract<Reply, { kind: 'text' | 'refusal' | 'length' | 'content_filter' | 'empty' }>;

const textOf = (reply: Said): string =>
  reply.kind === 'text' ? reply.text : reply.kind === 'length' ? '{"trend":"u' : '';

export function chatAnswer(call: Pick<StubCall, 'model'>, reply: Said): object {
  const finish = reply.kind === 'length' || reply.kind === 'content_filter' ? reply.kind : 'stop';
  const refusal = reply.kind === 'refusal' ? 'I can not help with that.' : null;
  return {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created: 1741569952,
    model: `${call.model}-2026-01-01`,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.kind === 'text' || reply.kind === 'length' ? textOf(reply) : null,
          refusal,
          annotations: [],
        },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage: {
      prompt_tokens: usage.input,
      completion_tokens: usage.output,
      total_tokens: usage.input + usage.output,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_44709d6fcb',
  };
}

export function responsesAnswer(call: Pick<StubCall, 'model'>, reply: Said): object {
  const incomplete =
    reply.kind === 'length' ? 'max_output_tokens' : reply.kind === 'content_filter' ? 'content_filter' : null;
  const content =
    reply.kind === 'refusal'
      ? [{ type: 'refusal', refusal: 'I can not help with that.' }]
      : [{ type: 'output_text', text: textOf(reply), annotations: [], logprobs: [] }];
  return {
    id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
    object: 'response',
    created_at: 1741476542,
    status: incomplete === null ? 'completed' : 'incomplete',
    error: null,
    incomplete_details: incomplete === null ? null : { reason: incomplete },
    instructions: null,
    model: `${call.model}-2026-01-01`,
    output: [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      ...(reply.kind === 'empty'
        ? []
        : [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content }]),
    ],
    parallel_tool_calls: true,
    store: false,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  };
}
