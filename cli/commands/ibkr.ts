// `keel ibkr trust` and `keel ibkr login-url`: what a person does once with a gateway. Called by cli/main.ts.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { readCertificate } from '../../adapters/ibkr/trust.js';
import type { ShownCertificate } from '../../adapters/ibkr/trust.js';
import { parseArguments, subcommand } from '../arguments.js';
import type { Say } from '../say.js';
import { writeFileAtomically } from '../supervisor/records.js';
import { UsageError } from '../supervisor/options.js';

export const ibkrHelp = `Usage: keel ibkr trust [--url URL] [--keep] [--data-dir DIR | --into DIR]
       keel ibkr login-url [--url URL]

trust shows the certificate of a gateway and, after a yes, stores it below the data directory and names it in .env
(IBKR_CA_FILE, IBKR_CERT_SHA256). Keel then speaks to a gateway with that certificate and to no other.
login-url tells where a person logs in to the gateway, which no program can do in his place. With IBKR_CONNECTION=oauth
there is neither: Keel logs in at IBKR by itself.

  --url URL        the gateway: IBKR_BASE_URL when not given, else https://localhost:5000/v1/api
  --keep           keeps the certificate that is trusted now beside the new one, while it is being replaced
  --data-dir DIR   .keel when not given
  --into DIR       writes tls-cert.pem and tls-cert.sha256 there, as containers take them, and leaves .env as it is

Examples:
  keel ibkr trust --url https://localhost:5000/v1/api
  keel ibkr trust --url https://127.0.0.1:5000/v1/api --into broker
  keel ibkr login-url`;

const timeoutMs = 10_000;
const text = { type: 'string' } as const;

interface Input {
  readonly args: readonly string[];
  readonly out: Say;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  /** Where .env lies. */
  readonly directory: string;
}

function parse(args: readonly string[]) {
  try {
    const options = { url: text, 'data-dir': text, into: text, keep: { type: 'boolean' } } as const;
    return parseArguments({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @returns 0 when it is done, 1 after a no */
export async function ibkrCommand(input: Input): Promise<number> {
  const { values, positionals } = parse(input.args);
  const [act, ...rest] = positionals;
  const url = values.url ?? (input.env['IBKR_BASE_URL'] || 'https://localhost:5000/v1/api');
  if (rest.length > 0) throw new UsageError('one of trust and login-url at a time');
  if (subcommand('ibkr', act, ['trust', 'login-url']) === 'login-url')
    return loginUrl(url, input, values.url !== undefined);
  if (values.into !== undefined && values['data-dir'] !== undefined) {
    throw new UsageError('one of --data-dir and --into');
  }
  const dataDir = resolve(values['data-dir'] ?? input.env['KEEL_DATA_DIR'] ?? '.keel');
  const certificate = await readCertificate(url, timeoutMs);
  show(url, certificate, input.out);
  if (!(await saysYes(input))) {
    input.out('Nothing was stored.');
    return 1;
  }
  const keep = values.keep === true;
  if (values.into === undefined) store(input, certificate, { dataDir, url, keep });
  else storeInto(input.out, certificate, { directory: resolve(values.into), keep });
  return 0;
}

function loginUrl(url: string, { out, env }: Input, isNamed: boolean): number {
  if (!URL.canParse(url)) throw new UsageError(`--url ${url} is no address`);
  if (!isNamed && env['IBKR_CONNECTION'] === 'oauth') {
    out(
      'Nobody has to log in: IBKR_CONNECTION=oauth, so Keel logs in at IBKR itself, with the keys of IBKR_OAUTH_….',
    );
    out(
      'keel doctor tells whether the keys are well, and the login comes up. For a gateway, name it with --url.',
    );
    return 0;
  }
  out(`${new URL(url).origin}/`);
  out(
    'Open it in a browser on the machine of the gateway, log in with user name, password and second factor, and wait',
  );
  out(
    'for "Client login succeeds". Keel finds the login by itself. IBKR ends it at midnight of its region at the latest.',
  );
  return 0;
}

function show(url: string, certificate: ShownCertificate, out: Say): void {
  out(`The gateway at ${new URL(url).host} shows this certificate:`);
  out(`  subject      ${certificate.subject}`);
  out(`  issuer       ${certificate.issuer}`);
  out(`  valid        ${certificate.validFrom} to ${certificate.validTo}`);
  out(`  SHA-256      ${certificate.sha256}`);
  out('Compare the fingerprint with the one on the machine of the gateway before you trust it.');
}

async function saysYes({ stdin, out }: Input): Promise<boolean> {
  out('Trust it? Write yes:');
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'yes';
    return false;
  } finally {
    lines.close();
  }
}

function store(
  { out, env, directory }: Input,
  certificate: ShownCertificate,
  { dataDir, url, keep }: { readonly dataDir: string; readonly url: string; readonly keep: boolean },
): void {
  const file = join(dataDir, 'ibkr', 'gateway.pem');
  const oldFile = env['IBKR_CA_FILE'];
  const old = keep ? { pem: textOf(oldFile), pins: env['IBKR_CERT_SHA256'] ?? '' } : nothing;
  const { pem, pins } = trusted(certificate, old);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomically(file, pem, 0o600);
  const dotEnv = join(directory, '.env');
  const settings = { IBKR_BASE_URL: url, IBKR_CA_FILE: file, IBKR_CERT_SHA256: pins };
  const before = existsSync(dotEnv) ? readFileSync(dotEnv, 'utf8') : '';
  writeFileSync(dotEnv, withSettings(before, settings), { mode: 0o600 });
  out(`Stored in ${file} and named in ${dotEnv}.`);
  tellOfOld(pins, out);
}

/** As docker-compose.yml and the manifests mount them: readable, for the container's user is another one. */
function storeInto(
  out: Say,
  certificate: ShownCertificate,
  { directory, keep }: { readonly directory: string; readonly keep: boolean },
): void {
  const pemFile = join(directory, 'tls-cert.pem');
  const pinFile = join(directory, 'tls-cert.sha256');
  const old = keep ? { pem: textOf(pemFile), pins: textOf(pinFile) } : nothing;
  const { pem, pins } = trusted(certificate, old);
  if (mkdirSync(directory, { recursive: true }) !== undefined) chmodSync(directory, 0o755);
  writeFileAtomically(pemFile, pem, 0o644);
  writeFileAtomically(pinFile, `${pins}\n`, 0o644);
  out(`Stored in ${pemFile} and ${pinFile}. Start the workers again: they read them at start.`);
  tellOfOld(pins, out);
}

interface Trusted {
  readonly pem: string;
  /** Fingerprints, separated by a comma. */
  readonly pins: string;
}

const nothing: Trusted = { pem: '', pins: '' };

/** The new one first, and of the old ones the newest. */
function trusted({ pem, sha256 }: ShownCertificate, old: Trusted): Trusted {
  const pin = sha256.replaceAll(':', '').toLowerCase();
  const before = old.pins.split(',')[0]?.trim() ?? '';
  return { pem: pem + old.pem, pins: before === '' || before === pin ? pin : `${pin},${before}` };
}

const textOf = (file: string | undefined): string =>
  file !== undefined && file !== '' && existsSync(file) ? readFileSync(file, 'utf8') : '';

function tellOfOld(pins: string, out: Say): void {
  if (!pins.includes(',')) return;
  out('The certificate that was trusted before stays trusted beside it: trust again without --keep later.');
}

/** The text of a .env with these settings in place of what it says of them. */
export function withSettings(before: string, settings: Readonly<Record<string, string>>): string {
  const kept = before
    .split('\n')
    .filter((line) => !Object.keys(settings).some((name) => line.startsWith(`${name}=`)));
  while (kept.at(-1) === '') kept.pop();
  return [...kept, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ''].join('\n');
}
