// A real OpenID provider on loopback (the package oidc-provider) whose person is whoever a test says, and a browser that
// follows its redirects and keeps its cookies.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import { freePort } from './ports.js';

export interface Person {
  readonly subject: string;
  readonly email?: string;
  readonly verified?: boolean;
  readonly preferredName?: string;
}

export interface TestProvider {
  readonly issuer: string;
  /** Who is logged in there; may be changed at any time. */
  person: Person;
  /** With this status it answers every code with what it was sent, as bad servers do; null: as it should. */
  repeats: number | null;
  /** Awaited before a code is redeemed; null: at once. */
  beforeToken: (() => Promise<unknown>) | null;
  /** What it was then sent, in clear. */
  readonly repeated: string[];
  close(): Promise<void>;
}

interface Registered {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUrls: readonly string[];
}

async function repeat(request: IncomingMessage, response: ServerResponse, status: number): Promise<string> {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const words = `${decodeURIComponent(Buffer.from(basic, 'base64').toString())} ${await text(request)}`;
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: 'server_error', error_description: words }));
  return words;
}

export async function startOidcProvider({
  clientId,
  clientSecret,
  redirectUrls,
}: Registered): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${String(port)}`;
  const accountOf = (subject: string) => {
    const { email, verified, preferredName } = test.person;
    const claims = {
      sub: subject,
      ...(email !== undefined && { email, email_verified: verified ?? true }),
      ...(preferredName !== undefined && { preferred_username: preferredName }),
    };
    return { accountId: subject, claims: () => claims };
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [...redirectUrls],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      Session: 600,
      AccessToken: 600,
      IdToken: 600,
      Interaction: 600,
      Grant: 600,
      AuthorizationCode: 60,
    },
    cookies: { keys: ['a key of the tests'] },
    findAccount: (_ctx, subject) => accountOf(subject),
    // The person says yes to everything.
    loadExistingGrant: async (ctx) => {
      const { client, session } = ctx.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  const server = createServer((request, response) => {
    if (test.repeats !== null && request.url === '/token') {
      void repeat(request, response, test.repeats).then((words) => test.repeated.push(words));
      return;
    }
    if (request.url?.startsWith('/interaction/') !== true) {
      const first = request.url === '/token' && test.beforeToken !== null ? test.beforeToken() : null;
      void Promise.resolve(first).then(() => callback(request, response));
      return;
    }
    const result = { login: { accountId: test.person.subject } };
    provider
      .interactionFinished(request, response, result, { mergeWithLastSubmission: false })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const test: TestProvider = {
    issuer,
    person: { subject: 'nobody' },
    repeats: null,
    beforeToken: null,
    repeated: [],
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return test;
}

export interface Visit {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Keeps cookies for each origin, as a browser does, and sends them back there. */
export function createBrowser() {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  const visit = async (url: string, init: RequestInit = {}): Promise<Visit> => {
    const jar = jarOf(url);
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string> | undefined), cookie: cookies };
    const response = await fetch(url, { ...init, redirect: 'manual', headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const words = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(words) : words };
  };
  return {
    visit,
    /** Follows redirects until one leads to `stopAt`. @returns that address, which is not visited */
    follow: async (url: string, stopAt: string): Promise<string> => {
      let at = url;
      for (let count = 0; count < 12; count += 1) {
        if (at.startsWith(stopAt)) return at;
        const { headers, status, body } = await visit(at);
        const next = headers.get('location');
        if (next === null) throw new Error(`no redirect at ${at}: ${String(status)} ${JSON.stringify(body)}`);
        at = new URL(next, at).href;
      }
      throw new Error('too many redirects');
    },
    cookieOf: (url: string, name: string): string | undefined => jarOf(url).get(name),
  };
}
