// Whether a receiver can be reached, without sending it anything: a connection, with TLS where the address asks for it.
// Called by keel doctor.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { KeelError } from '../../ports/errors.js';
import { publicLookup } from './addresses.js';
import { away, checkedUrl, type PostOptions } from './post.js';

/**
 * @param name what messages call the receiver: a URL may hold a secret
 * @throws KeelError NOTIFY_REFUSED, NOTIFY_ADDRESS (an address that no message would go to), NOTIFY_AWAY
 */
export async function reach(
  { timeoutMs, allowPrivateAddresses }: PostOptions,
  url: string,
  name: string,
): Promise<void> {
  const { protocol, hostname, port } = checkedUrl(url, name, allowPrivateAddresses);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:';
  const where = {
    host,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    ...(allowPrivateAddresses ? {} : { lookup: publicLookup }),
  };
  await new Promise<void>((resolve, reject) => {
    // A server name is a name: an address has none.
    const names = /[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {};
    const socket = secure ? connectTls({ ...where, ...names }) : connect(where);
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(away(name, `brought no answer within ${String(timeoutMs)} ms`));
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      resolve();
      socket.destroy();
    });
    socket.once('error', (error: Error) => {
      const code = 'code' in error ? String(error.code) : 'no code';
      reject(error instanceof KeelError ? error : away(name, `can not be reached (${code})`));
    });
  });
}
