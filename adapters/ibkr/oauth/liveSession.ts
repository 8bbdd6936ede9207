// The OAuth login of a process: has a live session token when one is needed, renews it before its end, and signs requests
// with it. Where there is a gateway, it holds the login and nothing of this is used. Made by gateway.ts; called by client.ts.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../../ports/clocks.js';
import { KeelError } from '../../../ports/errors.js';
import { errorText, refusalOf } from '../errors.js';
import type { Exchange } from '../errors.js';
import type { IbkrHttp } from '../http.js';
import { parseJson } from '../../../domain/money/parseJson.js';
import type { Pacing } from '../pacing.js';
import { initEndpoint, statusEndpoint, tickleEndpoint } from '../sessionEndpoints.js';
import type { OauthCredentials } from './credentials.js';
import { authorizationHeader, baseString, hmacSignature, rsaSignature } from './sign.js';
import type { Parameters } from './sign.js';
import { beginExchange } from './tokenExchange.js';

export interface LiveSession {
  /**
   * Has a token: a new one where there is none, and for `ordinary` requests also where it ends soon. Whatever answers a
   * question about an order must not wait for that.
   * @throws KeelError IBKR_UNAUTHORIZED where IBKR refuses the login, IBKR_OAUTH_TOKEN, or of errors.ts
   */
  ready(ordinary: boolean): Promise<void>;
  /** Signs one request. @param path below the base, encoded @throws KeelError IBKR_UNAUTHORIZED without a token */
  sign(method: string, path: string, query: Parameters): SignedBy;
}

export interface SignedBy {
  /** The value of the header `Authorization`. */
  readonly authorization: string;
  /** Hears the answer: a 401 that means the token ends the one that signed, and no later one. */
  answered(answer: Exchange): void;
}

export interface LiveSessionOptions {
  readonly http: Pick<IbkrHttp, 'exchange'>;
  readonly baseUrl: string;
  readonly credentials: OauthCredentials;
  readonly pacing: Pick<Pacing, 'slot' | 'penalize'>;
  readonly clock: Clock;
  readonly pacingWaitMs: number;
  /** Divides the waits between attempts; 1 for IBKR. */
  readonly factor: number;
  /** Hears that there is a new token: what the session remembers may be gone. */
  readonly renewed: () => void;
}

interface Token {
  readonly key: Buffer;
  readonly since: number;
  readonly endsAt: number;
}

const path = '/oauth/live_session_token';
const label = `POST ${path}`;

const answerSchema = z.object({
  diffie_hellman_response: z.string(),
  live_session_token_signature: z.string(),
  /** Milliseconds since the epoch. */
  live_session_token_expiration: z.number(),
});

const dayMs = 86_400_000;
/** How long before its end a token is renewed, wall milliseconds. */
const renewMs = 10 * 60_000;
/** A token that was taken for so long was of use, wall milliseconds. One answer alone says nothing: it may be the last. */
const steadyMs = 10 * 60_000;
/** Between two logins, by how many of them were of no use since one was: loops lock accounts out. */
const holdMs = [60_000, 120_000, 300_000, 900_000];

const isoOf = (at: number): string => new Date(at).toISOString();

/** Whatever was to be signed was not, and has not been sent. */
const unauthorized = (message: string): KeelError =>
  new KeelError('IBKR_UNAUTHORIZED', message, { errorClass: 'retryable', facts: { signed: false } });

const sessionless = new Set<string>(
  [statusEndpoint, initEndpoint, tickleEndpoint].map(({ path: below }) => below),
);

/**
 * Whether a 401 means the token. IBKR answers with one too where only the brokerage session is missing; paths that want none
 * can not mean that.
 */
const endsToken = (path: string, { status, text }: Exchange): boolean =>
  status === 401 && (sessionless.has(path) || !/not authenticated/i.test(errorText(parseJson(text)) ?? ''));

/**
 * When a token ends. IBKR's document calls the figure the time at which it was computed, a day before its end; clients in
 * use take it for the end itself. One in the past or of this moment can only be the former.
 */
const endOf = (stated: number, now: number): number => (stated <= now + 60_000 ? stated + dayMs : stated);

/** The fields that every signed request has. IBKR wants no earlier second than that of the request before. */
function createFields({ credentials, clock }: LiveSessionOptions): (method: string) => Parameters {
  let last = 0;
  return (signatureMethod) => {
    last = Math.max(last, Math.floor(clock.now() / 1000));
    return {
      oauth_consumer_key: credentials.consumerKey,
      oauth_nonce: randomBytes(16).toString('hex'),
      oauth_signature_method: signatureMethod,
      oauth_timestamp: String(last),
      oauth_token: credentials.accessToken,
    };
  };
}

/** One exchange: paced, one attempt. @param tried hears once that IBKR has it, or may have it */
async function fetchToken(
  options: LiveSessionOptions,
  fields: Parameters,
  tried: () => void,
): Promise<Token> {
  const { http, baseUrl, credentials, pacing, clock } = options;
  const exchange = beginExchange(credentials, randomBytes(32));
  await pacing.slot('ordinary', clock.now() + options.pacingWaitMs);
  const parameters = { ...fields, diffie_hellman_challenge: exchange.challenge };
  const prepend = credentials.secret.toString('hex');
  const text = baseString({ method: 'POST', url: `${baseUrl}${path}`, parameters, prepend });
  const signature = rsaSignature(text, credentials.signatureKey);
  const authorization = authorizationHeader(credentials.realm, parameters, signature);
  const answer = await http
    .exchange({ method: 'POST', path, endpoint: label, authorization })
    .catch((error: unknown) => {
      if (!(error instanceof KeelError) || error.facts['sent'] !== false) tried();
      throw error;
    });
  if (answer.status === 429) pacing.penalize();
  else tried();
  const refusal = refusalOf(label, answer);
  if (refusal !== null) throw [400, 401, 403].includes(answer.status) ? refusedLogin(refusal) : refusal;
  const found = answerSchema.safeParse(parseJson(answer.text));
  if (!found.success) {
    throw new KeelError('IBKR_BAD_SHAPE', `${label} answered in a shape that Keel does not know.`);
  }
  const { diffie_hellman_response: response, live_session_token_signature: signed } = found.data;
  const key = exchange.finish({ response, signature: signed });
  const since = clock.now();
  return { key, since, endsAt: endOf(found.data.live_session_token_expiration, since) };
}

const wordsOf = (text: string | null): string => (text === null ? 'no words' : `"${text}"`);

const refusedLogin = (refusal: KeelError): KeelError => {
  const { text } = refusal.facts;
  return unauthorized(
    `IBKR refused the OAuth login with ${wordsOf(typeof text === 'string' ? text : null)}. Check consumer key, access token, keys and the machine's time; new keys count only from the next day on.`,
  );
};

export function createLiveSession(options: LiveSessionOptions): LiveSession {
  const { clock, baseUrl, credentials, factor } = options;
  const fields = createFields(options);
  let token: Token | null = null;
  let fetching: Promise<void> | null = null;
  let useless = 0;
  let notBefore = 0;
  /** Why there is no token. The looks meanwhile are many, and each is told of: the one that knew it would be forgotten. */
  let why = '';

  async function renew(): Promise<void> {
    if (clock.now() < notBefore) {
      const again = `The OAuth login does not stand. It is tried again from ${isoOf(notBefore)} on.`;
      throw unauthorized(`${again}${why}`);
    }
    const tried = (): void => {
      notBefore = clock.now() + (holdMs[Math.min(useless, holdMs.length - 1)] ?? 0) / factor;
      useless += 1;
    };
    token = await fetchToken(options, fields('RSA-SHA256'), tried).catch((error: unknown) => {
      why = error instanceof KeelError ? ` ${error.message}` : '';
      throw error;
    });
    options.renewed();
  }

  const has = (marginMs: number): boolean => token !== null && clock.now() < token.endsAt - marginMs;

  return {
    async ready(ordinary) {
      if (has(ordinary ? renewMs : 0)) return;
      fetching ??= renew().finally(() => {
        fetching = null;
      });
      // One that still holds is used on, if it cannot be renewed yet.
      await fetching.catch((error: unknown) => {
        if (!has(0)) throw error;
      });
    },
    sign(method, below, query) {
      const signing = token;
      if (signing === null || !has(0)) {
        throw unauthorized('The OAuth login ended before the request was sent.');
      }
      const own = fields('HMAC-SHA256');
      const text = baseString({ method, url: `${baseUrl}${below}`, parameters: { ...query, ...own } });
      return {
        authorization: authorizationHeader(credentials.realm, own, hmacSignature(text, signing.key)),
        answered(answer) {
          if (token !== signing) return;
          if (endsToken(below, answer)) {
            token = null;
            why = ` IBKR ended the last one with ${wordsOf(errorText(parseJson(answer.text)))}.`;
          } else if (clock.now() - signing.since >= steadyMs / factor) useless = 0;
        },
      };
    },
  };
}
