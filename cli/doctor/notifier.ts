// The channels that tell people: whether the mail server takes Keel's login, and whether the hosts of Telegram, webhooks
// and Slack can be reached. Nothing is sent. Called by examine.ts.
import { asHisRoleAllows } from '../../activities/notifications.js';
import { checkMailServer } from '../../adapters/notify/email.js';
import { reach } from '../../adapters/notify/reach.js';
import type { Config } from '../../config/schema.js';
import { connect } from '../../db/connect.js';
import { createNotificationStore } from '../../db/notifications.js';
import { KeelError } from '../../ports/errors.js';
import type { Person } from '../../ports/notifications.js';
import type { Finding, Patient } from './types.js';
import { askMs, notGiven, reasonOf } from './types.js';

const check = 'notifier';
type Notifier = Config['notifier'];
/** Hosts of users that are looked at, so that the doctor ends in time. */
const mostHosts = 20;

export async function checkNotifier(patient: Patient): Promise<readonly Finding[]> {
  const { notifier } = patient.sections;
  if (notifier === undefined) return notGiven(check, patient);
  const people = await readPeople(patient);
  const looks = [...ownLooks(notifier), ...(people === null ? [] : userLooks(people))];
  const found = await Promise.all(looks.map((each) => lookAt(each, notifier, patient.running)));
  if (people === null) {
    const why = 'the channels of users could not be read: put PostgreSQL and its migrations right first';
    return [...found, { check, status: 'skipped', found: why }];
  }
  if (found.length > 0) return found;
  return [
    {
      check,
      status: 'skipped',
      found: 'no channel is set up: news goes to the inbox, and to no other place',
    },
  ];
}

/** @returns null where the database has no answer; its own check says why */
async function readPeople({ sections, mode }: Patient): Promise<readonly Person[] | null> {
  if (sections.database === undefined) return [];
  const limits = { poolSize: 1, connectTimeoutMs: askMs, statementTimeoutMs: askMs, lockTimeoutMs: askMs };
  const db = connect({ ...limits, url: sections.database.url });
  try {
    return (await createNotificationStore(db, mode).people()).map(asHisRoleAllows);
  } catch {
    return null;
  } finally {
    await db.close();
  }
}

interface Look {
  readonly channel: 'e-mail' | 'Telegram' | 'webhook' | 'Slack';
  /** Host and port: the rest of an address may be a secret. */
  readonly host: string;
  readonly url: string;
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an address that is none');

function ownLooks({ smtpUrl, telegramToken, telegramUrl }: Notifier): Look[] {
  return [
    ...(smtpUrl === '' ? [] : [{ channel: 'e-mail', host: hostOf(smtpUrl), url: smtpUrl } as const]),
    ...(telegramToken === ''
      ? []
      : [{ channel: 'Telegram', host: hostOf(telegramUrl), url: telegramUrl } as const]),
  ];
}

function userLooks(people: readonly Person[]): Look[] {
  const all = people.flatMap(({ settings }): Look[] => [
    ...(settings?.webhook
      ? [{ channel: 'webhook' as const, host: hostOf(settings.webhook.url), url: settings.webhook.url }]
      : []),
    ...(settings?.slack
      ? [{ channel: 'Slack' as const, host: hostOf(settings.slack.url), url: settings.slack.url }]
      : []),
  ]);
  // Many users of one host are one look.
  const byHost = new Map(all.map((look) => [`${look.channel} ${look.host}`, look]));
  return [...byHost.values()].slice(0, mostHosts);
}

async function lookAt(
  { channel, host, url }: Look,
  notifier: Notifier,
  running: Patient['running'],
): Promise<Finding> {
  try {
    if (channel === 'e-mail') {
      await checkMailServer({ smtpUrl: url, timeoutMs: askMs });
      return { check, status: 'ok', found: `e-mail: ${host} greets Keel` };
    }
    const allowPrivateAddresses = notifier.privateAddresses === 'allowed';
    await reach({ timeoutMs: askMs, allowPrivateAddresses }, url, channel);
    return { check, status: 'ok', found: `${channel}: ${host} can be reached` };
  } catch (error) {
    return {
      check,
      status: 'fault',
      found: `${channel}: ${host} can not be used`,
      cause: reasonOf(error),
      fix: fixOf(channel, error, running),
    };
  }
}

/** By whose settings a webhook is judged. */
const ofWhom = (running: Patient['running']): string =>
  running?.privateAddresses === undefined
    ? ' (judged by this environment: a worker elsewhere may have been given another)'
    : ' (judged by the settings of the Keel that runs here)';

function fixOf(channel: Look['channel'], error: unknown, running: Patient['running']): string {
  if (channel === 'e-mail') {
    return error instanceof KeelError && error.facts['word'] === 'EAUTH'
      ? 'correct user and password in KEEL_SMTP_URL'
      : 'start the mail server, or correct host, port and smtp:// or smtps:// in KEEL_SMTP_URL';
  }
  // NOTIFY_REFUSED: http where https is needed.
  if (error instanceof KeelError && (error.code === 'NOTIFY_ADDRESS' || error.code === 'NOTIFY_REFUSED')) {
    return (
      'give a public address, or allow private ones with KEEL_NOTIFIER_PRIVATE_ADDRESSES=allowed' +
      ofWhom(running)
    );
  }
  return channel === 'Telegram'
    ? 'let the worker reach that host (proxy, firewall)'
    : 'let the worker reach that host, or set another address (PUT /api/v1/notifications/settings)';
}
