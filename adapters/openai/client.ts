// One call to one server: one attempt with one timeout over the whole exchange, through the `openai` package. Says what
// came back and nothing of what it means; envelope.ts and errors.ts do. Temporal alone retries.
import OpenAI, { APIError } from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { isOpenai, type ModelProfile } from './profile.js';
import { instructionsOf, type ModelRequest } from './request.js';

export interface Exchange {
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  readonly headers: Headers | null;
  /** The body's bytes as they came, cut off at the cap. */
  readonly body: Uint8Array | null;
  /** What ended it without an answer. */
  readonly broken: 'timeout' | 'unreachable' | 'dropped' | null;
}

/** A body beyond this is cut off: no answer is so long. */
const bodyCapBytes = 8 * 1024 * 1024;

/** Makes the call. Does not throw for anything that the far side does. */
export async function callModel(profile: ModelProfile, request: ModelRequest): Promise<Exchange> {
  const pictures = await Promise.all(request.pictures.map(({ dataUrl }) => dataUrl()));
  const signal = AbortSignal.timeout(profile.timeoutMs);
  const seen: { status: number | null; headers: Headers | null; body: Uint8Array | null } = {
    status: null,
    headers: null,
    body: null,
  };
  const client = new OpenAI({
    apiKey: profile.apiKey === '' ? 'none' : profile.apiKey,
    baseURL: profile.baseUrl,
    maxRetries: 0,
    timeout: profile.timeoutMs,
    logLevel: 'off',
    // Keel's settings say where and as whom to ask; the package's own variables do not.
    organization: null,
    project: null,
    fetch: async (url, init) => {
      // A redirect would carry the question to a place that nobody named.
      const response = await fetch(url, { ...init, redirect: 'manual' });
      const { status, statusText } = response;
      const headers = headersWithoutKey(response.headers, profile.apiKey);
      seen.status = status;
      seen.headers = headers;
      seen.body = bodyWithoutKey(await readCapped(response), profile.apiKey);
      return new Response(seen.body.byteLength === 0 ? null : Buffer.from(seen.body), {
        status,
        statusText,
        headers: withoutEncoding(headers),
      });
    },
  });
  try {
    if (profile.api === 'responses') {
      await client.responses.create(responsesBody(profile, request, pictures), { signal });
    } else {
      await client.chat.completions.create(chatBody(profile, request, pictures), { signal });
    }
    return { ...seen, broken: null };
  } catch (error) {
    // With a body in hand the answer came: what is wrong with it is read from the bytes.
    if (seen.body !== null) return { ...seen, broken: null };
    return { ...seen, broken: signal.aborted ? 'timeout' : breakOf(error) };
  }
}

async function readCapped(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array();
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.byteLength;
    if (length > bodyCapBytes) break;
  }
  return Buffer.concat(parts).subarray(0, bodyCapBytes);
}

/** What is shorter is no secret but a word for a server without keys, such as `none`, which answers may well hold. */
const keyMinLength = 8;

/** A server may quote the key that it was sent: it must reach no error, history, store or person. */
function bodyWithoutKey(body: Uint8Array, key: string): Uint8Array {
  if (key.length < keyMinLength) return body;
  // In latin1 each byte is one character, so that all others stay as they came.
  const bytes = Buffer.from(body).toString('latin1');
  return Buffer.from(bytes.replaceAll(Buffer.from(key).toString('latin1'), '[key]'), 'latin1');
}

function headersWithoutKey(headers: Headers, key: string): Headers {
  if (key.length < keyMinLength) return headers;
  return new Headers([...headers].map(([name, value]) => [name, value.replaceAll(key, '[key]')]));
}

/** The bytes have been decoded on the way, so these two would no longer be true. */
function withoutEncoding(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete('content-encoding');
  copy.delete('content-length');
  return copy;
}

const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
]);

/** Follows the causes of an error: nothing was sent where no connection came about. */
function breakOf(error: unknown): 'unreachable' | 'dropped' | 'timeout' {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : '';
    // fetch knocks at no port of another kind of service, such as 9, and says so in words alone.
    if (cause.message === 'bad port') return 'unreachable';
    if (neverConnected.has(code) || /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
      return 'unreachable';
    }
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'timeout';
  }
  return error instanceof APIError ? 'dropped' : 'unreachable';
}

function responsesBody(
  profile: ModelProfile,
  request: ModelRequest,
  pictures: readonly string[],
): ResponseCreateParamsNonStreaming {
  const { repair } = request;
  return {
    model: profile.model,
    instructions: instructionsOf(request),
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: request.text },
          ...pictures.map((url) => ({
            type: 'input_image' as const,
            image_url: url,
            detail: profile.pictureDetail,
          })),
        ],
      },
      ...(repair === null
        ? []
        : [
            { role: 'assistant' as const, content: repair.answer },
            { role: 'user' as const, content: [{ type: 'input_text' as const, text: repair.complaints }] },
          ]),
    ],
    text: {
      format: { type: 'json_schema', name: request.schemaName, strict: true, schema: request.schema },
    },
    max_output_tokens: profile.maxOutputTokens,
    store: false,
    stream: false,
  };
}

function chatBody(
  profile: ModelProfile,
  request: ModelRequest,
  pictures: readonly string[],
): ChatCompletionCreateParamsNonStreaming {
  const { repair } = request;
  // Compatible servers know the older name, OpenAI's own models of today only the newer one.
  const cap = isOpenai(profile.baseUrl)
    ? { max_completion_tokens: profile.maxOutputTokens }
    : { max_tokens: profile.maxOutputTokens };
  return {
    model: profile.model,
    messages: [
      { role: 'system', content: instructionsOf(request) },
      {
        role: 'user',
        content: [
          { type: 'text', text: request.text },
          ...pictures.map((url) => ({
            type: 'image_url' as const,
            image_url: { url, detail: profile.pictureDetail },
          })),
        ],
      },
      ...(repair === null
        ? []
        : [
            { role: 'assistant' as const, content: repair.answer },
            { role: 'user' as const, content: repair.complaints },
          ]),
    ],
    response_format: {
      type: 'json_schema',
      json_schema: { name: request.schemaName, strict: true, schema: request.schema },
    },
    ...cap,
    stream: false,
  };
}
