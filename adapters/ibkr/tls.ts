// The connection to the gateway: its stored certificate is the only trusted one, and its fingerprint is compared on
// every connection. IBKR itself (OAuth) is known by its name and the machine's authorities instead, and may be pinned
// beside that. Used by http.ts.
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { KeelError } from '../../ports/errors.js';

export interface IbkrTls {
  /** PEM of the gateway's certificate (two, one after the other, during a rotation); null for the machine's authorities. */
  readonly ca: string | null;
  /** SHA-256 fingerprints of the certificates allowed, hex; one or two. None: the name in the certificate counts. */
  readonly certSha256: readonly string[];
  /** For connecting and the handshake together, milliseconds. */
  readonly timeoutMs: number;
  /** True where the server has a name in a certificate of a known authority, and pins come on top: IBKR itself. */
  readonly named?: boolean;
}

/** The `code` of the error of a fingerprint that is none of the pins. */
const pinMismatch = 'KEEL_PIN_MISMATCH';

/** Node reads the certificates of an array one by one, and of one text only while line breaks part them. */
function certificatesOf(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (found.length > 0) return found;
  throw new KeelError('IBKR_CONFIG', 'broker.caFile holds no PEM certificate.');
}

const normalise = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/** Compares the fingerprint, after the name only where there must be one: gateways' certificates name no host. */
function comparePins(pins: readonly string[], named: boolean) {
  const allowed = new Set(pins.map(normalise));
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const otherName = named ? checkServerIdentity(host, certificate) : undefined;
    if (otherName !== undefined || allowed.has(normalise(certificate.fingerprint256))) return otherName;
    const text = 'the server shows another certificate than the pinned one';
    return Object.assign(new Error(text), { code: pinMismatch });
  };
}

type Connect = https.Agent['createConnection'];
type Done = (error: Error | null, socket: Duplex) => void;

/**
 * Connects trusting one certificate after the other. OpenSSL finds trusted certificates by name, and of two with one
 * name, as a rotation leaves them, it would look at the first alone.
 */
function dial(
  connect: Connect,
  options: Parameters<Connect>[0],
  trusted: readonly string[],
  timeoutMs: number,
  done: Done,
) {
  const [ca, ...others] = trusted;
  const socket = connect(ca === undefined ? options : Object.assign({}, options, { ca })) as Duplex;
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('the handshake took too long'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  let handed = false;
  socket.once('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    if (handed) return;
    if (others.length > 0 && isTlsFailure(error.code ?? '')) dial(connect, options, others, timeoutMs, done);
    else done(error, socket);
  });
  socket.once('close', () => {
    clearTimeout(timer);
  });
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    handed = true;
    done(null, socket);
  });
}

/**
 * An agent that hands a connection over only once its handshake is done and its certificate compared, so that whoever
 * gets the socket knows that the next bytes are the request's own.
 * @throws KeelError IBKR_CONFIG (final) when `ca` holds no certificate.
 */
export function createPinnedAgent(tls: IbkrTls, keepAlive: boolean): https.Agent {
  const trusted = tls.ca === null ? [] : certificatesOf(tls.ca);
  const agent = new https.Agent({
    keepAlive,
    ...(tls.ca === null ? {} : { ca: trusted }),
    // Explicit, because otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would switch the comparison off too.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(tls.certSha256.length === 0
      ? {}
      : { checkServerIdentity: comparePins(tls.certSha256, tls.named === true) }),
    // A resumed session would skip checkServerIdentity.
    maxCachedSessions: 0,
  });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done): undefined => {
    dial(connect, options, trusted, tls.timeoutMs, (error, socket) => done?.(error, socket));
    return undefined;
  };
  return agent;
}

/** True when a connection failed for its certificate or protocol, so that trying again cannot help. */
export function isTlsFailure(code: string): boolean {
  return (
    code === pinMismatch ||
    code === 'EPROTO' ||
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERROR_IN_CERT|INVALID_CA|HOSTNAME_MISMATCH)/.test(
      code,
    )
  );
}
