// Seals secrets that must be read again, so that the database and its backups hold nothing that is of use without the
// API's own secret. Called by the composition roots of what keeps such secrets.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { KeelError } from '../../ports/errors.js';
import type { Seal } from '../../ports/seal.js';

const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

const derive = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'keel', purpose, 32));

/**
 * AES-256-GCM, `v1.<name of the key>.<iv, tag and sealed text>`.
 * @param secrets at least 32 characters each: the current one, then the one before it while it is being changed
 * @param purpose keys of different purposes are different keys
 */
export function createSeal(secrets: readonly [string, ...string[]], purpose: string): Seal {
  const nameOf = (secret: string): string =>
    derive(secret, `${purpose}, key id`).toString('hex').slice(0, 16);
  const keys = new Map(secrets.slice(0, 2).map((secret) => [nameOf(secret), derive(secret, purpose)]));
  const [current] = secrets;
  const currentName = nameOf(current);
  const currentKey = derive(current, purpose);
  return {
    close: (text, owner) => {
      const iv = randomBytes(ivBytes);
      const sealing = createCipheriv(cipher, currentKey, iv, { authTagLength: tagBytes });
      // A sealed text that is moved to somebody else's row does not open there.
      sealing.setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()]);
      const bytes = Buffer.concat([iv, sealing.getAuthTag(), sealed]).toString('base64url');
      return `v1.${currentName}.${bytes}`;
    },
    open: (sealed, owner) => {
      const [version, name = '', text = ''] = sealed.split('.');
      const key = version === 'v1' ? keys.get(name) : undefined;
      const bytes = Buffer.from(text, 'base64url');
      if (key === undefined || bytes.length < ivBytes + tagBytes) throw notOpened();
      try {
        const iv = bytes.subarray(0, ivBytes);
        const opening = createDecipheriv(cipher, key, iv, { authTagLength: tagBytes });
        opening.setAAD(Buffer.from(owner));
        opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        const open = Buffer.concat([opening.update(bytes.subarray(ivBytes + tagBytes)), opening.final()]);
        return { text: open.toString('utf8'), current: name === currentName };
      } catch {
        throw notOpened();
      }
    },
  };
}

const notOpened = (): KeelError =>
  new KeelError(
    'SEAL_BROKEN',
    'A stored secret can not be opened: it was sealed with another KEEL_AUTH_SECRET. Give that one as ' +
      'KEEL_AUTH_PREVIOUS_SECRET, or set up anew what was sealed.',
  );
