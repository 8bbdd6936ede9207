// The cache: whether Redis answers and keeps what it is given, where one is configured. Called by examine.ts.
import { createClient } from '@keyv/redis';
import pTimeout from 'p-timeout';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven } from './types.js';

const check = 'cache';

export async function checkCache(patient: Patient): Promise<readonly Finding[]> {
  const { cache } = patient.sections;
  if (cache === undefined) return notGiven(check, patient);
  const url = cache.redisUrl;
  if (url === '') {
    // Its processes have their own environment, which nobody can read from here.
    const other = patient.running === null ? '' : ' here; of the Keel that runs GET /health/detailed tells';
    return [{ check, status: 'ok', found: `in the memory of each process, as no REDIS_URL is set${other}` }];
  }
  const { host } = new URL(url);
  try {
    const kept = await putAndGet(url);
    if (kept)
      return [{ check, status: 'ok', found: `Redis at ${host}: PING answered, a key put and got again` }];
    return [fault(host, 'it forgot a key within a moment', 'give it memory, or another maxmemory-policy')];
  } catch (error) {
    return [refusal(host, error)];
  }
}

async function putAndGet(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { connectTimeout: askMs, reconnectStrategy: false } });
  // The command that fails brings the words; an event without a listener would end the process.
  client.on('error', () => undefined);
  const work = async (): Promise<boolean> => {
    await client.connect();
    await client.ping();
    const key = `keel:doctor:${String(process.pid)}`;
    await client.set(key, 'here', { PX: askMs });
    return (await client.get(key)) === 'here';
  };
  try {
    // One that is frozen takes the connection and says nothing.
    return await pTimeout(work(), { milliseconds: askMs, message: `no answer within ${String(askMs)} ms` });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

const fault = (host: string, cause: string, fix: string): Finding => ({
  check,
  status: 'fault',
  found: `Redis at ${host} can not be used; each process falls back on its own memory`,
  cause,
  fix,
});

/** First words of Redis's own refusals, which hold no secret. */
const refusals: Readonly<Record<string, string>> = {
  NOAUTH: 'put the password into REDIS_URL: redis://:password@host:port',
  WRONGPASS: 'correct user and password in REDIS_URL',
  NOPERM: 'let this user of Redis read and write (ACL SETUSER)',
  READONLY: 'name the primary in REDIS_URL: this server is a replica',
  OOM: 'give Redis more memory, or a maxmemory-policy that makes room',
  MISCONF: "see Redis's own log: it can not write its data to disk",
  LOADING: 'wait until Redis has read its data, and ask again',
};

function refusal(host: string, error: unknown): Finding {
  const text = error instanceof Error ? error.message : '';
  const [word = ''] = /^[A-Z]{3,}\b/.exec(text) ?? [];
  const fix = refusals[word];
  if (fix !== undefined) return fault(host, `Redis says ${word}`, fix);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = code !== '' ? code : text.startsWith('no answer') ? text : 'no readable answer of a Redis';
  return fault(host, cause, 'start Redis, or correct host and port in REDIS_URL; empty takes none');
}
