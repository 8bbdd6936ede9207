// A model server for the benchmark: chat completions that answer after a stated time, and a count of the pictures that came.
// Called by model.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelServer {
  /** With /v1. */
  readonly url: string;
  /** Wall milliseconds before each answer. */
  delayMs: number;
  /** Whether the first answer to each question has to be mended. */
  asksTwice: boolean;
  readonly calls: () => number;
  readonly pictures: () => number;
  close(): Promise<void>;
}

const reading = {
  ...{ trend: 'up', momentum: 'rising', volatility: 'normal', support: [], resistance: [] },
  signals: [{ name: 'averages', direction: 'bullish', evidence: 'the close is above its averages' }],
  ...{ confidence: 61, invalidation: 'a close below the averages', summary: 'The trend is up.' },
};
const decision = {
  consolidation: { agreements: ['both timeframes rise'], conflicts: [] },
  decision: {
    ...{ action: 'hold', entry: null, stop: null, target: null, horizonSessions: null, confidence: 50 },
    ...{ rationale: 'There is no hurry.', risks: [] },
  },
};

export async function startModelServer(): Promise<ModelServer> {
  let calls = 0;
  let pictures = 0;
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => {
        calls += 1;
        pictures += body.split('data:image/png;base64,').length - 1;
        const mends = body.includes('Your answer was not accepted');
        const answer = body.includes('"name":"decision"') ? decision : reading;
        const text = model.asksTwice && !mends ? '{}' : JSON.stringify(answer);
        setTimeout(() => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(completion(text)));
        }, model.delayMs);
      })
      .catch(() => request.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const model: ModelServer = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`,
    ...{ delayMs: 0, asksTwice: false },
    calls: () => calls,
    pictures: () => pictures,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return model;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('latin1');
}

const completion = (content: string) => ({
  ...{ id: 'chatcmpl-bench', object: 'chat.completion', created: 1_741_569_952, model: 'bench' },
  choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540 },
});
