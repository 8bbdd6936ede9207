// Reads the certificate that a gateway shows, so that a person can look at it before it is trusted. Nothing is sent over
// the connection, and it is given up as soon as the certificate is there. Called by `keel ibkr trust`.
import tls from 'node:tls';
import type { DetailedPeerCertificate } from 'node:tls';
import { KeelError } from '../../ports/errors.js';

export interface ShownCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** As the certificate writes them, such as `Nov 27 13:00:00 2026 GMT`. */
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256 of the certificate, hex with colons. */
  readonly sha256: string;
  /** PEM of the certificate, and of those above it that the gateway shows. */
  readonly pem: string;
}

const pemOf = (raw: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(raw.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;

const nameOf = (name: object): string =>
  Object.entries(name)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');

/** Node leaves it out where the gateway does not show it. */
const above = (certificate: DetailedPeerCertificate): DetailedPeerCertificate | undefined =>
  certificate.issuerCertificate;

function shown(certificate: DetailedPeerCertificate): ShownCertificate {
  const chain: string[] = [];
  for (
    let next = above({ ...certificate, issuerCertificate: certificate });
    next !== undefined;
    next = above(next)
  ) {
    const pem = pemOf(next.raw);
    // The last one names itself.
    if (chain.includes(pem)) break;
    chain.push(pem);
  }
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFrom: certificate.valid_from,
    validTo: certificate.valid_to,
    sha256: certificate.fingerprint256,
    pem: chain.join(''),
  };
}

/** @throws KeelError IBKR_CONFIG for an address that is not https, IBKR_AWAY when there is no certificate to be had. */
export async function readCertificate(baseUrl: string, timeoutMs: number): Promise<ShownCertificate> {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url?.protocol !== 'https:') {
    throw new KeelError('IBKR_CONFIG', 'The address of the gateway must begin with https://.');
  }
  const { hostname, port } = url;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host: hostname,
      port: port === '' ? 443 : Number(port),
      servername: /^[\d.]+$|:/.test(hostname) ? '' : hostname,
      minVersion: 'TLSv1.2',
    });
    const away = (why: string): void => {
      socket.destroy();
      const text = `No certificate could be read at ${url.host} (${why}). Check that the gateway runs there.`;
      reject(new KeelError('IBKR_AWAY', text, { errorClass: 'retryable', facts: { host: url.host } }));
    };
    socket.setTimeout(timeoutMs, () => {
      away('ETIMEDOUT');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      away(error.code ?? 'UNKNOWN');
    });
    // After the handshake, and before Node ends the connection because it does not know the certificate.
    socket.prependListener('secure', () => {
      resolve(shown(socket.getPeerCertificate(true)));
      // Not within Node's own handling of the handshake.
      setImmediate(() => socket.destroy());
    });
  });
}
