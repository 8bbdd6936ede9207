// How to reach a Temporal server: plainly, by TLS with a certificate, or by an API key, as Temporal Cloud has it. Called
// by the composition roots and the `keel` commands for every connection that they make.
import { readFileSync } from 'node:fs';
import { KeelError } from '../../ports/errors.js';

export interface TemporalSecurity {
  /** PEM file of the authority that signed the server's certificate; empty: the machine's own authorities. */
  readonly tlsCaFile: string;
  /** PEM files of our own certificate and its key; both or none. */
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  /** Name that the server's certificate must have, where the address has another; empty: that of the address. */
  readonly tlsServerName: string;
  /** Sent with each call, over TLS only; empty: none. */
  readonly apiKey: string;
}

export interface TemporalConnection {
  readonly address: string;
  readonly tls?: {
    readonly serverRootCACertificate?: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
    readonly serverNameOverride?: string;
  };
  readonly apiKey?: string;
}

/**
 * TLS is on as soon as anything of it, or an API key, is given.
 * @throws KeelError TEMPORAL_TLS (final) when a file can not be read, or only one of certificate and key is given
 */
export function temporalConnection(
  address: string,
  { tlsCaFile, tlsCertFile, tlsKeyFile, tlsServerName, apiKey }: TemporalSecurity,
): TemporalConnection {
  if ((tlsCertFile === '') !== (tlsKeyFile === '')) {
    throw new KeelError(
      'TEMPORAL_TLS',
      'A certificate for Temporal needs its key and a key its certificate: set TEMPORAL_TLS_CERT_FILE and TEMPORAL_TLS_KEY_FILE, or neither.',
    );
  }
  if (tlsCaFile + tlsCertFile + tlsServerName + apiKey === '') return { address };
  return {
    address,
    tls: {
      ...(tlsCaFile !== '' && { serverRootCACertificate: read(tlsCaFile, 'TEMPORAL_TLS_CA_FILE') }),
      ...(tlsCertFile !== '' && {
        clientCertPair: {
          crt: read(tlsCertFile, 'TEMPORAL_TLS_CERT_FILE'),
          key: read(tlsKeyFile, 'TEMPORAL_TLS_KEY_FILE'),
        },
      }),
      ...(tlsServerName !== '' && { serverNameOverride: tlsServerName }),
    },
    ...(apiKey !== '' && { apiKey }),
  };
}

function read(file: string, variable: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new KeelError('TEMPORAL_TLS', `${file} can not be read (${reason}): correct ${variable}.`, {
      cause,
    });
  }
}
