// Error reports to anything that speaks Sentry's envelope protocol, off without a DSN. One attempt each; what does not
// arrive is lost, because the log has it too. Made by the composition roots.
import { randomUUID } from 'node:crypto';
import type { Redact } from '../../domain/redaction/redact.js';
import type { Clock } from '../../ports/clocks.js';
import type { ErrorReports } from '../../ports/errorReports.js';
import { KeelError } from '../../ports/errors.js';

export interface ErrorReportOptions {
  /** https://<key>@<host>/<project>; empty switches reports off. */
  readonly dsn: string;
  readonly role: 'api' | 'worker';
  readonly environment: string;
  readonly release: string;
  readonly redact: Redact;
  readonly clock: Clock;
}

const timeoutMs = 3000;
/** In one minute; a broken database must not become a storm of reports. */
const mostPerMinute = 30;
const minuteMs = 60_000;

const silent: ErrorReports = { report: () => undefined, flush: () => Promise.resolve() };

/** @throws KeelError ERROR_REPORTS_DSN (final) when the DSN is none. */
export function createErrorReports(options: ErrorReportOptions): ErrorReports {
  if (options.dsn === '') return silent;
  const { url, key } = endpointOf(options.dsn);
  const { clock } = options;
  const open = new Set<Promise<void>>();
  let sent: number[] = [];

  const send = async (error: unknown, facts: Readonly<Record<string, string>>): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-sentry-envelope',
          'X-Sentry-Auth': `Sentry sentry_version=7, sentry_client=keel/${options.release}, sentry_key=${key}`,
        },
        body: envelopeOf(error, facts, options),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
    } catch {
      // The log has the error; there is nobody to tell that the report was lost.
    }
  };

  return {
    report: (error, facts) => {
      const now = clock.now();
      sent = sent.filter((at) => at > now - minuteMs);
      if (sent.length >= mostPerMinute) return;
      sent.push(now);
      const sending = send(error, facts).finally(() => {
        open.delete(sending);
      });
      open.add(sending);
    },
    flush: async () => {
      await Promise.all(open);
    },
  };
}

function endpointOf(dsn: string): { url: string; key: string } {
  const parsed = URL.canParse(dsn) ? new URL(dsn) : null;
  const [, folder = '', project = ''] = /^(.*)\/(\d+)$/.exec(parsed?.pathname ?? '') ?? [];
  if (parsed === null || parsed.username === '' || project === '') {
    throw new KeelError(
      'ERROR_REPORTS_DSN',
      'SENTRY_DSN is no DSN: it has the form https://<key>@<host>/<project number>. Correct it, or unset it.',
    );
  }
  return { url: `${parsed.origin}${folder}/api/${project}/envelope/`, key: parsed.username };
}

function envelopeOf(
  error: unknown,
  facts: Readonly<Record<string, string>>,
  { role, environment, release, redact, clock }: ErrorReportOptions,
): string {
  const id = randomUUID().replaceAll('-', '');
  const at = new Date(clock.now()).toISOString();
  const event = {
    event_id: id,
    timestamp: at,
    platform: 'node',
    level: 'error',
    logger: role,
    environment,
    release: `keel@${release}`,
    tags: { ...facts, ...(error instanceof KeelError && { code: error.code }) },
    exception: { values: chainOf(error) },
  };
  const lines = [{ event_id: id, sent_at: at }, { type: 'event', content_type: 'application/json' }, event];
  return `${lines.map((line) => redact(JSON.stringify(line))).join('\n')}\n`;
}

interface Shown {
  readonly type: string;
  readonly value: string;
  readonly stacktrace?: {
    readonly frames: readonly { readonly filename: string; readonly function: string }[];
  };
}

/** The error and its causes, the deepest first, as the protocol wants it. */
function chainOf(error: unknown, depth = 0): Shown[] {
  if (!(error instanceof Error)) return [{ type: 'Error', value: String(error) }];
  const causes = error.cause === undefined || depth > 4 ? [] : chainOf(error.cause, depth + 1);
  const frames = (error.stack ?? '')
    .split('\n')
    .flatMap((line) => {
      const [, name = '?', filename] = /^\s+at (?:(.+?) \()?(.+?:\d+:\d+)\)?$/.exec(line) ?? [];
      return filename === undefined ? [] : [{ filename, function: name }];
    })
    .reverse();
  return [...causes, { type: error.name, value: error.message, stacktrace: { frames } }];
}
