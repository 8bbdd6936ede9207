// What a model or its server may do, and the code that a run then ends with: the cases behind the tables of
// docs/analyst.md, which scripts/analystTable.test.ts compares with them. Used by tests/analyst*.test.ts.
import { buyText, closeIn, good, goodBut, readingText, reviewText, verdictText } from './replies.js';
import { chatAnswer, responsesAnswer, type Reply, type Script, type StubCall } from './stub.js';

/** A server may quote it; nobody may see it. */
export const key = 'sk-a-key-that-nobody-may-see-0123456789';

export const hold = (call: StubCall): Reply => ({
  kind: 'text',
  text: buyText(call, { action: 'hold', entry: null, stop: null, target: null }),
});
const raw = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  kind: 'raw',
  status,
  body,
  headers,
});
export const error = (status: number, message: string, code: string | null = null, headers = {}): Reply =>
  raw(status, JSON.stringify({ error: { message, type: 'error', param: null, code } }), headers);
export const text = (value: string): Reply => ({ kind: 'text', text: value });
const wrongPrices = (change: (close: number) => object): Script =>
  goodBut('decision', (call) => text(buyText(call, change(closeIn(call)))));

/** Name; what the model or its server does; the code that the run ends with; calls that the stub has seen, -1 for many. */
export type Failure = readonly [name: string, script: Script, code: string, calls: number];

export const chatFailures: readonly Failure[] = [
  ['a refusal', goodBut('daily', () => ({ kind: 'refusal' })), 'MODEL_REFUSAL', 2],
  ['an answer cut off at the cap', goodBut('daily', () => ({ kind: 'length' })), 'MODEL_LENGTH', 2],
  ['a content filter', goodBut('daily', () => ({ kind: 'content_filter' })), 'MODEL_CONTENT_FILTER', 2],
  [
    'a content filter by status',
    goodBut('daily', () => error(400, 'filtered', 'content_filter')),
    'MODEL_CONTENT_FILTER',
    2,
  ],
  ['an empty answer', goodBut('decision', () => ({ kind: 'empty' })), 'MODEL_EMPTY', 3],
  ['an answer that is no JSON', goodBut('daily', () => text('The trend is up.')), 'MODEL_INVALID_JSON', 3],
  [
    'NaN in place of a number',
    goodBut('daily', () => text(readingText().replace('61', 'NaN'))),
    'MODEL_INVALID_JSON',
    3,
  ],
  [
    'Infinity in place of a number',
    goodBut('daily', () => text(readingText({ support: ['x'] }).replace('"x"', '1e999'))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an unknown value of an enum',
    goodBut('daily', () => text(readingText({ trend: 'moon' }))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an answer of 5 MB',
    goodBut('daily', () => text(readingText({ summary: 'x'.repeat(5_000_000) }))),
    'MODEL_SCHEMA_INVALID',
    3,
  ],
  [
    'an HTML page',
    goodBut('daily', () => raw(200, '<!doctype html><p>hi', { 'content-type': 'text/html' })),
    'MODEL_INVALID_JSON',
    2,
  ],
  [
    'an answer of another API',
    goodBut('daily', () => raw(200, '{"object":"list","data":[]}')),
    'MODEL_SCHEMA_INVALID',
    2,
  ],
  ['silence', goodBut('daily', () => ({ kind: 'silence' })), 'MODEL_TIMEOUT', 2],
  ['prices in the wrong order', wrongPrices((price) => ({ stop: price * 1.02 })), 'MODEL_SCHEMA_INVALID', 4],
  [
    'prices off by a hundred',
    wrongPrices((price) => ({ entry: price * 100, stop: price * 96, target: price * 108 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  ['a buy without a stop', wrongPrices(() => ({ stop: null })), 'MODEL_SCHEMA_INVALID', 4],
  [
    'an R coefficient below the minimum',
    wrongPrices((price) => ({ target: price * 1.05 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  [
    'a profit margin below the costs',
    wrongPrices((price) => ({ stop: price * 0.999, target: price * 1.005 })),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  [
    'a buy against a falling week',
    (call) => (call.purpose === 'weekly' ? text(readingText({ trend: 'down' })) : good(call)),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  ['400', goodBut('daily', () => error(400, 'bad request')), 'MODEL_REQUEST_REFUSED', 2],
  [
    '401',
    goodBut('daily', () => error(401, `Incorrect API key provided: ${key}`, 'invalid_api_key')),
    'MODEL_KEY_REFUSED',
    2,
  ],
  ['403', goodBut('daily', () => error(403, 'not in your country')), 'MODEL_FORBIDDEN', 2],
  ['404', goodBut('daily', () => error(404, 'no such model', 'model_not_found')), 'MODEL_NOT_FOUND', 2],
  [
    'a redirect',
    goodBut('daily', () => raw(307, '', { location: 'https://example.com/' })),
    'MODEL_REDIRECTED',
    2,
  ],
  ['429 without credit', goodBut('daily', () => error(429, 'quota', 'insufficient_quota')), 'MODEL_QUOTA', 2],
  [
    'dropped connections without end',
    goodBut('daily', () => ({ kind: 'drop', within: true })),
    'MODEL_BUDGET',
    -1,
  ],
];

/** What passes: the run goes on to a hold. */
export const passing: readonly (readonly [string, Script, number])[] = [
  [
    '429 once, with retry-after',
    goodBut('daily', (call, count) =>
      count === 1 ? error(429, 'slow down', null, { 'retry-after-ms': '200' }) : good(call),
    ),
    4,
  ],
  ['502 once', goodBut('daily', (call, count) => (count === 1 ? error(502, 'bad gateway') : good(call))), 4],
  ['503 once', goodBut('daily', (call, count) => (count === 1 ? error(503, 'overloaded') : good(call))), 4],
  [
    'a dropped connection once',
    goodBut('daily', (call, count) => (count === 1 ? { kind: 'drop', within: false } : good(call))),
    4,
  ],
  ['a wrong answer once', goodBut('daily', (call, count) => (count === 1 ? text('{}') : good(call))), 4],
];

export const holding =
  (script: Script): Script =>
  (call, count) =>
    call.purpose === 'decision' ? hold(call) : script(call, count);

/** A response that the server itself calls failed. */
const failedResponse = (call: StubCall, code: string): Reply => {
  const answer = responsesAnswer(call, { kind: 'empty' });
  const failed = { status: 'failed', error: { code, message: 'failed' }, usage: null };
  return raw(200, JSON.stringify({ ...answer, ...failed }));
};

/** The same over the Responses API, where it says it in another way. */
export const responsesFailures: readonly Failure[] = [
  ['a refusal in a response', goodBut('weekly', () => ({ kind: 'refusal' })), 'MODEL_REFUSAL', 2],
  ['a response cut off at the cap', goodBut('weekly', () => ({ kind: 'length' })), 'MODEL_LENGTH', 2],
  ['a filtered response', goodBut('weekly', () => ({ kind: 'content_filter' })), 'MODEL_CONTENT_FILTER', 2],
  ['a response without text', goodBut('decision', () => ({ kind: 'empty' })), 'MODEL_EMPTY', 3],
  ['a response that is no JSON', goodBut('decision', () => text('Buy!')), 'MODEL_INVALID_JSON', 4],
  [
    'a response of another shape',
    goodBut('decision', (call) => text(buyText(call, { action: 'short' }))),
    'MODEL_SCHEMA_INVALID',
    4,
  ],
  ['no response in time', goodBut('decision', () => ({ kind: 'silence' })), 'MODEL_TIMEOUT', 3],
  [
    'an answer of chat completions to the Responses API',
    goodBut('weekly', () => raw(200, '{"object":"chat.completion","choices":[]}')),
    'MODEL_SCHEMA_INVALID',
    2,
  ],
  [
    'a failed response that is final',
    goodBut('weekly', (call) => failedResponse(call, 'invalid_prompt')),
    'MODEL_REQUEST_REFUSED',
    2,
  ],
  [
    'a response whose picture is against the policy',
    goodBut('weekly', (call) => failedResponse(call, 'image_content_policy_violation')),
    'MODEL_CONTENT_FILTER',
    2,
  ],
  ['413', goodBut('decision', () => error(413, 'too large')), 'MODEL_REQUEST_REFUSED', 3],
  ['422', goodBut('decision', () => error(422, 'unprocessable')), 'MODEL_REQUEST_REFUSED', 3],
  [
    '429 with a wait beyond the deadline',
    goodBut('weekly', () => error(429, 'slow down', null, { 'retry-after': '60' })),
    'MODEL_RATE_LIMIT',
    2,
  ],
  ['503 without end', goodBut('weekly', () => error(503, 'overloaded')), 'MODEL_AWAY', -1],
  ['409 without end', goodBut('weekly', () => error(409, 'conflict')), 'MODEL_AWAY', -1],
];

/** What passes over the Responses API. */
export const responsesPassing: readonly (readonly [string, Script, number])[] = [
  [
    'a failed response once',
    goodBut('weekly', (call, count) => (count === 1 ? failedResponse(call, 'server_error') : good(call))),
    4,
  ],
  [
    'a rate limit in a response once',
    goodBut('weekly', (call, count) =>
      count === 1 ? failedResponse(call, 'rate_limit_exceeded') : good(call),
    ),
    4,
  ],
  ['408 once', goodBut('weekly', (call, count) => (count === 1 ? error(408, 'slow') : good(call))), 4],
];

/** A decision that took so many tokens that four calls like it pass the cap of the run. */
const longDecision: Script = goodBut('decision', (call) => {
  const usage = { prompt_tokens: 1200, completion_tokens: 5900, total_tokens: 7100 };
  const body = { ...chatAnswer(call, { kind: 'text', text: buyText(call) }), usage };
  return { kind: 'raw', status: 200, body: JSON.stringify(body) };
});

/** What a member of a panel may do to a buy that was proposed: each of the eight outcomes, and errors of the server. */
export const panelFailures: readonly Failure[] = [
  ['a bull that refuses', goodBut('bull', () => ({ kind: 'refusal' })), 'MODEL_REFUSAL', 4],
  ['a bear that is cut off', goodBut('bear', () => ({ kind: 'length' })), 'MODEL_LENGTH', 5],
  [
    'a filtered review of risk',
    goodBut('risk', () => ({ kind: 'content_filter' })),
    'MODEL_CONTENT_FILTER',
    6,
  ],
  ['a judge without a word', goodBut('judge', () => ({ kind: 'empty' })), 'MODEL_EMPTY', 7],
  ['a verdict that is no JSON', goodBut('judge', () => text('It stands!')), 'MODEL_INVALID_JSON', 8],
  ['a soundness beyond a hundred', goodBut('bear', () => text(reviewText(101))), 'MODEL_SCHEMA_INVALID', 6],
  [
    'a soundness that is no number',
    goodBut('risk', () => text(reviewText('high'))),
    'MODEL_SCHEMA_INVALID',
    7,
  ],
  [
    'a verdict of another word',
    goodBut('judge', () => text(verdictText({ verdict: 'buy more' }))),
    'MODEL_SCHEMA_INVALID',
    8,
  ],
  [
    'a judge who moves the stop',
    goodBut('judge', () => text(verdictText({ stop: 1 }))),
    'MODEL_SCHEMA_INVALID',
    8,
  ],
  ['a silent judge', goodBut('judge', () => ({ kind: 'silence' })), 'MODEL_TIMEOUT', 7],
  [
    'a bull whose connection drops without end',
    goodBut('bull', () => ({ kind: 'drop', within: true })),
    'MODEL_BUDGET',
    -1,
  ],
  ['a panel without room', longDecision, 'MODEL_BUDGET', 3],
  ['401 to a judge', goodBut('judge', () => error(401, 'no', 'invalid_api_key')), 'MODEL_KEY_REFUSED', 7],
];

/** What of a panel is got over. */
export const panelPassing: readonly (readonly [string, Script, number])[] = [
  [
    'a bull away once',
    goodBut('bull', (call, count) => (count === 1 ? error(503, 'overloaded') : good(call))),
    8,
  ],
  [
    'a verdict of another shape once',
    goodBut('judge', (call, count) => (count === 1 ? text('{}') : good(call))),
    8,
  ],
];

/** Settings of the worker that end every run; name, variable and its value, code. No call passes. */
export const settingFailures = [
  ['a server that can not be reached', 'OPENAI_BASE_URL', 'http://127.0.0.1:2/v1', 'MODEL_AWAY'],
  ['a picture above the limit', 'KEEL_MODEL_PICTURE_MAX_BYTES', '1000', 'CHART_TOO_LARGE'],
  ['the cap of a run', 'KEEL_MODEL_BUDGET_RUN', '0.01', 'MODEL_BUDGET'],
  ['the cap of a day', 'KEEL_MODEL_BUDGET_DAY', '0.01', 'MODEL_BUDGET'],
  ['the cap of a month', 'KEEL_MODEL_BUDGET_MONTH', '0.01', 'MODEL_BUDGET'],
] as const;

/** What becomes of a stored picture between the readings and the decision; name, code. */
export const pictureFailures = [
  ['a picture that is gone', 'OBJECT_MISSING'],
  ['a picture that differs', 'OBJECT_DAMAGED'],
] as const;

/** Legal, and as bad as that allows: a stop one step below the entry, which asks for the largest size, and a far target. */
export const worstText = (call: StubCall, change: object = {}): string => {
  const close = closeIn(call);
  const prices = {
    entry: close,
    stop: Math.round(close * 100 - 1) / 100,
    target: Math.floor(close * 200) / 100,
  };
  return buyText(call, { ...prices, confidence: 100, ...change });
};
