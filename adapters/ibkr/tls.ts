// The connection to the gateway: its stored certificate is the only trusted one, and its fingerprint is compared on
// every connection. Used by http.ts.
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';

export interface PinnedTls {
  /** PEM of the gateway's certificate (two, one after the other, during a rotation). */
  readonly ca: string;
  /** SHA-256 fingerprints of the certificates allowed, hex; one or two. */
  readonly certSha256: readonly string[];
  /** For connecting and the handshake together, milliseconds. */
  readonly timeoutMs: number;
}

/** The `code` of the error of a fingerprint that is none of the pins. */
const pinMismatch = 'KEEL_PIN_MISMATCH';

const normalise = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

/** Compares the fingerprint and nothing else: gateways' certificates name no host. */
function comparePins(pins: readonly string[]) {
  const allowed = new Set(pins.map(normalise));
  return (_host: string, certificate: PeerCertificate): Error | undefined =>
    allowed.has(normalise(certificate.fingerprint256))
      ? undefined
      : Object.assign(new Error('the gateway shows another certificate than the pinned one'), {
          code: pinMismatch,
        });
}

/**
 * An agent that hands a connection over only once its handshake is done and its certificate compared, so that whoever
 * gets the socket knows that the next bytes are the request's own.
 */
export function createPinnedAgent(tls: PinnedTls, keepAlive: boolean): https.Agent {
  const agent = new https.Agent({
    keepAlive,
    ca: tls.ca,
    // Explicit, because otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would switch the comparison off too.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: comparePins(tls.certSha256),
    // A resumed session would skip checkServerIdentity.
    maxCachedSessions: 0,
  });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done): undefined => {
    const socket = connect(options) as Duplex;
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('handshake timed out'), { code: 'ETIMEDOUT' }));
    }, tls.timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      done?.(error, socket);
    });
    socket.once('close', () => {
      clearTimeout(timer);
    });
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      done?.(null, socket);
    });
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
