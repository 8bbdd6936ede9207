// A small https server that answers as it is told: the far side of the network in the unit tests of adapters/ibkr.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly sha256: string;
}

/** A self-signed certificate that names no address, as gateways have, unless one is given. */
export async function makeCertificate(ip?: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'gateway' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(ip === undefined ? {} : { extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }] }),
  });
  const sha256 = new X509Certificate(made.cert).fingerprint256.replaceAll(':', '').toLowerCase();
  return { key: made.private, cert: made.cert, sha256 };
}

/** What is recorded in testdata/, by file name without `.json`. */
export const recorded = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../testdata/${name}.json`, import.meta.url), 'utf8')) as unknown;

export interface Answer {
  readonly status?: number;
  /** Either a body to be written as JSON, or a text as it is. */
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** hang: never answers · drop: breaks the connection · cut: breaks it in the middle of the body. */
  readonly fault?: 'hang' | 'drop' | 'cut';
  /** Answered only then. */
  readonly after?: Promise<unknown>;
}

export interface SeenRequest {
  /** `GET /iserver/accounts`, without the query. */
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestGateway {
  readonly baseUrl: string;
  readonly certificate: Certificate;
  readonly seen: SeenRequest[];
  /** Connections whose handshake was done, and bytes of requests that came over them. */
  readonly counts: { connections: number; bytes: number };
  /** Gives the answers of a route in turn; the last one stays. */
  on(route: string, ...answers: readonly Answer[]): void;
  /** The requests seen on a route. */
  to(route: string): readonly SeenRequest[];
  close(): Promise<void>;
}

const base = '/v1/api';

const html = '<html><body><h1>Resource not found</h1></body></html>';

function write(response: ServerResponse, answer: Answer): void {
  const body = answer.text ?? JSON.stringify(answer.json ?? {});
  if (answer.fault === 'hang') return;
  if (answer.fault === 'drop') {
    response.socket?.destroy();
    return;
  }
  const length = Buffer.byteLength(body);
  response.writeHead(answer.status ?? 200, {
    'Content-Type': answer.text === undefined ? 'application/json' : 'text/html',
    'Content-Length': String(length),
    ...answer.headers,
  });
  if (answer.fault !== 'cut') {
    response.end(body);
    return;
  }
  response.write(body.slice(0, Math.floor(length / 2)), () => response.socket?.destroy());
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** The paper account of the recordings, logged in. */
function answerSession(gateway: TestGateway): void {
  gateway.on('POST /iserver/auth/status', { json: recorded('auth-status') });
  gateway.on('GET /iserver/accounts', { json: recorded('accounts') });
  gateway.on('GET /portfolio/accounts', { json: recorded('portfolio-accounts') });
}

export async function startTestGateway(certificate: Certificate): Promise<TestGateway> {
  const routes = new Map<string, Answer[]>();
  const seen: SeenRequest[] = [];
  const counts = { connections: 0, bytes: 0 };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'https://gateway');
    const route = `${request.method ?? ''} ${url.pathname.slice(base.length)}`;
    seen.push({ route, query: url.searchParams, headers: request.headers, body: await bodyOf(request) });
    const answers = routes.get(route) ?? [{ status: 404, text: html }];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    await answer?.after;
    write(response, answer ?? { status: 404, text: html });
  };
  const server = https.createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    void handle(request, response);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    counts.connections += 1;
    socket.on('data', (part: Buffer) => {
      counts.bytes += part.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: TestGateway = {
    baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    certificate,
    seen,
    counts,
    on(route, ...answers) {
      routes.set(route, [...answers]);
    },
    to: (route) => seen.filter((request) => request.route === route),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  answerSession(gateway);
  return gateway;
}
