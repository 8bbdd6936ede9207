// The broker's gateway: its certificate as a file and on the wire, its login, its account and its clock. It only asks;
// nothing is opened or changed there. Called by examine.ts.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { createPinnedAgent, isTlsFailure } from '../../adapters/ibkr/tls.js';
import type { Config } from '../../config/schema.js';
import { skewFinding } from './clock.js';
import { checkOauth } from './oauth.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven, reasonOf } from './types.js';

const tls = 'gateway tls';
const session = 'broker session';
type Broker = Config['broker'];

export async function checkGateway(patient: Patient): Promise<readonly Finding[]> {
  const { broker } = patient.sections;
  if (broker === undefined) return notGiven(tls, patient);
  if (broker.connection === 'oauth') return checkOauth(patient, broker);
  const file = problemOfFile(broker, patient.now());
  if (file !== null && file.status === 'fault') return [file];
  const agent = createPinnedAgent(
    { ca: readFileSync(broker.caFile, 'utf8'), certSha256: broker.certSha256, timeoutMs: askMs },
    false,
  );
  const before = patient.now();
  try {
    const answer = await ask(agent, broker, 'POST', '/iserver/auth/status');
    const after = patient.now();
    const date = Date.parse(answer.date);
    return [
      file ?? { check: tls, status: 'ok', found: `${broker.baseUrl} shows the pinned certificate` },
      ...(Number.isNaN(date)
        ? []
        : [skewFinding('the gateway', { theirs: date, before, after, grainMs: 1000 })]),
      ...(await login(answer, broker, agent)),
    ];
  } catch (error) {
    return [connectionFault(broker, error)];
  } finally {
    agent.destroy();
  }
}

const warnDays = 30;
const dayMs = 86_400_000;

/** The PEM file, its fingerprint and its last day. */
function problemOfFile({ baseUrl, caFile, certSha256 }: Broker, now: number): Finding | null {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(caFile));
  } catch (error) {
    const fix = "export the gateway's certificate as PEM, and name the file in IBKR_CA_FILE";
    const found = `${caFile} is no readable certificate`;
    return { check: tls, status: 'fault', found, cause: reasonOf(error), fix };
  }
  const sha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  if (!certSha256.some((pin) => pin.toLowerCase() === sha256)) {
    return {
      check: tls,
      status: 'fault',
      found: `the certificate in ${caFile} is not the one that IBKR_CERT_SHA256 pins`,
      cause: `its SHA-256 is ${sha256}`,
      fix: `run keel ibkr trust --url ${baseUrl}: it shows the certificate of the gateway and, after a yes, sets file and pin; compare it with the gateway itself`,
    };
  }
  const days = Math.floor((Date.parse(certificate.validTo) - now) / dayMs);
  if (days >= warnDays) return null;
  return {
    check: tls,
    status: days < 0 ? 'fault' : 'warning',
    found: `the gateway's certificate ${days < 0 ? 'ended' : 'ends'} on ${certificate.validTo}`,
    cause: days < 0 ? 'no connection can be made with it' : `that is in ${String(days)} days`,
    fix: 'make a new one on the gateway, and pin both while it changes (keel ibkr trust --keep)',
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly date: string;
}

function ask(agent: https.Agent, broker: Broker, method: 'GET' | 'POST', path: string): Promise<Answer> {
  const body = method === 'POST' ? '{}' : '';
  return new Promise((resolve, reject) => {
    const request = https.request(
      `${broker.baseUrl}${path}`,
      {
        agent,
        method,
        signal: AbortSignal.timeout(askMs),
        // A gateway wants a body with each POST, and an empty one has to be an object.
        headers: {
          'User-Agent': 'keel-doctor',
          'Content-Length': String(body.length),
          ...(body !== '' && { 'Content-Type': 'application/json' }),
        },
      },
      (response) => {
        text(response).then((answered) => {
          resolve({ status: response.statusCode ?? 0, body: answered, date: response.headers.date ?? '' });
        }, reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

function connectionFault({ baseUrl }: Broker, error: unknown): Finding {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (isTlsFailure(code)) {
    return {
      check: tls,
      status: 'fault',
      found: `${baseUrl} shows another certificate than the pinned one`,
      cause: reasonOf(error),
      fix: `find out who answers there; if the gateway has a new certificate, run keel ibkr trust --url ${baseUrl}: it shows that one and, after a yes, sets IBKR_CA_FILE and IBKR_CERT_SHA256 to it`,
    };
  }
  return {
    check: tls,
    status: 'fault',
    found: `${baseUrl} does not answer`,
    cause: `${code === '' ? '' : `${code}: `}${reasonOf(error)}`,
    fix: 'start the gateway (or the simulator), or correct IBKR_BASE_URL',
  };
}

const statusSchema = z.object({
  authenticated: z.boolean().default(false),
  connected: z.boolean().default(false),
  competing: z.boolean().default(false),
});
const accountsSchema = z.object({ accounts: z.array(z.string()) });

function readAs<S extends z.ZodType>(schema: S, { status, body }: Answer): z.infer<S> | null {
  if (status !== 200) return null;
  try {
    return schema.parse(JSON.parse(body));
  } catch {
    return null;
  }
}

async function login(answer: Answer, broker: Broker, agent: https.Agent): Promise<Finding[]> {
  const status = readAs(statusSchema, answer);
  const fault = (found: string, cause: string, fix: string): Finding[] => [
    { check: session, status: 'fault', found, cause, fix },
  ];
  if (answer.status === 401 || status?.connected === false) {
    return fault(
      'the gateway has no login',
      answer.status === 401 ? 'its status is answered with 401' : 'its status says that it is not connected',
      `log in to ${new URL(broker.baseUrl).origin} in a browser`,
    );
  }
  if (status === null) {
    return fault(
      'the gateway gave no readable status',
      `HTTP ${String(answer.status)}`,
      'see that IBKR_BASE_URL ends in /v1/api',
    );
  }
  if (status.competing) {
    return fault(
      'another login of this user name holds the brokerage session',
      'a broker gives one per user name',
      'end the other login (TWS, the mobile app)',
    );
  }
  if (!status.authenticated) {
    return [
      { check: session, status: 'ok', found: 'logged in; the worker opens the brokerage session itself' },
    ];
  }
  const known = readAs(accountsSchema, await ask(agent, broker, 'GET', '/iserver/accounts'));
  if (known === null || known.accounts.includes(broker.accountId)) {
    return [{ check: session, status: 'ok', found: `logged in, account ${broker.accountId}` }];
  }
  return fault(
    `the login does not have account ${broker.accountId}`,
    `it has ${known.accounts.join(', ')}`,
    'correct IBKR_ACCOUNT, or log in as its owner',
  );
}
