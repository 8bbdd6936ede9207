// The simulator's own TLS certificate, made once and kept in its directory. Called by server.ts; clients trust this
// certificate alone, by its PEM file and its SHA-256.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { Clock } from '../ports/clocks.js';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** PEM file of the certificate, for a client's `ca`. */
  readonly caFile: string;
  /** SHA-256 of the DER form, lower-case hex. */
  readonly sha256: string;
}

const YEARS = 10;

/** Reads the directory's certificate for localhost and 127.0.0.1, or makes one when there is none or it has ended. */
export async function certificateOf(directory: string, clock: Clock): Promise<Certificate> {
  const keyFile = join(directory, 'tls-key.pem');
  const caFile = join(directory, 'tls-cert.pem');
  if (!existsSync(keyFile) || !existsSync(caFile) || hasEnded(caFile, clock)) {
    const { key, cert } = await make(clock);
    replace(keyFile, key);
    replace(caFile, cert);
  }
  const cert = readFileSync(caFile, 'utf8');
  const sha256 = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
  // For a client that can read this directory and not our first line: IBKR_CERT_SHA256_FILE.
  const pinFile = join(directory, 'tls-cert.sha256');
  if (!existsSync(pinFile) || readFileSync(pinFile, 'utf8').trim() !== sha256)
    replace(pinFile, `${sha256}\n`);
  return { key: readFileSync(keyFile, 'utf8'), cert, caFile, sha256 };
}

const hasEnded = (caFile: string, clock: Clock): boolean =>
  Date.parse(new X509Certificate(readFileSync(caFile, 'utf8')).validTo) <= clock.now();

async function make(clock: Clock): Promise<{ key: string; cert: string }> {
  // A day of grace for clients whose clock is a little behind.
  const notBeforeDate = new Date(clock.now() - 86_400_000);
  const notAfterDate = new Date(notBeforeDate);
  notAfterDate.setUTCFullYear(notAfterDate.getUTCFullYear() + YEARS);
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate,
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
