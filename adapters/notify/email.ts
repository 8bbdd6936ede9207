// E-mail over SMTP. The Message-ID is made of the delivery's key, so a message that went out twice is one message to
// whoever sorts by it. Made by worker/channels.ts; `keel doctor` asks whether the server is there.
import { createTransport } from 'nodemailer';
import { KeelError } from '../../ports/errors.js';
import type { ChannelPort } from '../../ports/notifications.js';

export interface EmailOptions {
  /** smtp:// or smtps://; holds a password. Empty when there is no server. */
  readonly smtpUrl: string;
  readonly from: string;
  readonly timeoutMs: number;
}

export function createEmailChannel({ smtpUrl, from, timeoutMs }: EmailOptions): ChannelPort {
  return {
    send: async ({ key, address, notification: { title, body, createdAt } }, { email }) => {
      if (smtpUrl === '') throw new KeelError('NOTIFY_OFF', 'KEEL_SMTP_URL is not set, so nothing was sent.');
      const to = address ?? email?.address;
      if (to === undefined)
        throw new KeelError('NOTIFY_OFF', 'no e-mail address is set, so nothing was sent.');
      // One connection a message: a kept one may be dead, and a message lost in it would count as sent.
      const transport = transportOf({ smtpUrl, timeoutMs });
      try {
        await transport.sendMail({
          from,
          to,
          subject: title.replace(/[\r\n]+/g, ' ').slice(0, 200),
          text: `${body}\n\nref ${key}\n`,
          date: new Date(createdAt),
          messageId: `<${key}@keel>`,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (error) {
        throw failure(error);
      } finally {
        transport.close();
      }
    },
  };
}

const transportOf = ({ smtpUrl, timeoutMs }: Omit<EmailOptions, 'from'>) =>
  createTransport({
    url: smtpUrl,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });

/**
 * Greets the server and logs in where the URL has a login; sends nothing.
 * @throws KeelError NOTIFY_AWAY, NOTIFY_REFUSED; facts.answer is the kind of failure
 */
export async function checkMailServer(options: Omit<EmailOptions, 'from'>): Promise<void> {
  const transport = transportOf(options);
  try {
    await transport.verify();
  } catch (error) {
    throw failure(error, 'The mail server is not usable');
  } finally {
    transport.close();
  }
}

/** The server's texts may repeat the login; its three digits say enough. 4xx may pass, 5xx stays. */
function failure(error: unknown, what = 'The mail server did not take the message'): KeelError {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const word = typeof code === 'string' ? code : 'no code';
  const answer = typeof responseCode === 'number' ? `SMTP ${responseCode}` : word;
  const final = typeof responseCode === 'number' && responseCode >= 500 && code !== 'EAUTH';
  return new KeelError(final ? 'NOTIFY_REFUSED' : 'NOTIFY_AWAY', `${what} (${answer}).`, {
    errorClass: final ? 'final' : 'retryable',
    facts: { answer, word },
  });
}
