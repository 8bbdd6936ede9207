// What a consumer of IBKR's OAuth 1.0a has: names, two RSA keys, Diffie-Hellman parameters, and a secret that only one of the
// keys opens. Read once by gateway.ts, and by `keel doctor`. No key and no secret gets into an error.
import { constants, createDiffieHellman, createPrivateKey, privateDecrypt } from 'node:crypto';
import type { DiffieHellman, KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KeelError } from '../../../ports/errors.js';

/** As the configuration and its files hold them. */
export interface OauthSettings {
  readonly consumerKey: string;
  readonly accessToken: string;
  /** Base64, as the self-service portal shows it: encrypted for the encryption key. */
  readonly accessTokenSecret: string;
  /** PEM texts. */
  readonly signatureKey: string;
  readonly encryptionKey: string;
  readonly dhParam: string;
  /** `limited_poa`; `test_realm` for the consumer TESTCONS. */
  readonly realm: string;
}

export interface OauthCredentials {
  readonly consumerKey: string;
  readonly accessToken: string;
  readonly realm: string;
  readonly signatureKey: KeyObject;
  /** The access token secret, decrypted. */
  readonly secret: Buffer;
  /** For one exchange at a time. To make it costs a quarter of a second, for its prime is looked at. */
  readonly group: DiffieHellman;
}

const wrong = (message: string): KeelError => new KeelError('IBKR_CONFIG', message);

function privateKey(pem: string, setting: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw wrong(`${setting} holds no private key in PEM that Keel can read (one without a passphrase).`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < 2048) {
    throw wrong(`${setting} holds no RSA key of at least 2048 bits.`);
  }
  return key;
}

/**
 * Takes the padding of PKCS #1 v1.5 off here: Node has switched it off for decryption, as it may help one who can have many
 * texts decrypted. Here it is one text, out of our own configuration.
 */
function decrypted(base64: string, key: KeyObject): Buffer {
  const refused = wrong(
    'broker.oauth.accessTokenSecret does not open with the encryption key. Take secret and key of the same token.',
  );
  let block: Buffer;
  try {
    block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(base64, 'base64'));
  } catch {
    throw refused;
  }
  const end = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || end < 10 || end === block.length - 1) throw refused;
  return block.subarray(end + 1);
}

/** The next element of DER: its tag, its content, and what comes after it. */
function element(der: Buffer): { readonly tag: number; readonly content: Buffer; readonly rest: Buffer } {
  const first = der[1] ?? 0;
  const sizeBytes = first < 0x80 ? 0 : first & 0x7f;
  const size = sizeBytes === 0 ? first : der.readUIntBE(2, sizeBytes);
  const start = 2 + sizeBytes;
  if (sizeBytes > 2 || start + size > der.length) throw new RangeError('the DER ends early');
  return {
    tag: der[0] ?? 0,
    content: der.subarray(start, start + size),
    rest: der.subarray(start + size),
  };
}

/** OpenSSL's words for a number that is no prime, or no safe one: with either the secret could be found out. */
const notSafe = 1 | 2;

const unsigned = (integer: Buffer): Buffer => (integer[0] === 0 ? integer.subarray(1) : integer);

/** A file of `openssl dhparam`: a SEQUENCE of prime and generator. */
function dhGroup(pem: string): DiffieHellman {
  const body = /-----BEGIN DH PARAMETERS-----([\s\S]+?)-----END DH PARAMETERS-----/.exec(pem)?.[1];
  const refused = wrong(
    'broker.oauth.dhParamFile holds no Diffie-Hellman parameters in PEM with a safe prime of 2048 bits or more.',
  );
  if (body === undefined) throw refused;
  try {
    const { tag, content } = element(Buffer.from(body, 'base64'));
    const prime = element(content);
    const generator = element(prime.rest);
    const whole = tag === 0x30 && prime.tag === 2 && generator.tag === 2;
    const number = unsigned(prime.content);
    if (whole && number.length >= 256) {
      const group = createDiffieHellman(number, unsigned(generator.content));
      if ((group.verifyError & notSafe) === 0) return group;
    }
  } catch {
    // Said below, without a word of the file.
  }
  throw refused;
}

/** The configuration's names of the files, and the variables that set them. */
const files = {
  signatureKey: ['signatureKeyFile', 'IBKR_OAUTH_SIGNATURE_KEY_FILE'],
  encryptionKey: ['encryptionKeyFile', 'IBKR_OAUTH_ENCRYPTION_KEY_FILE'],
  dhParam: ['dhParamFile', 'IBKR_OAUTH_DH_PARAM_FILE'],
} as const;

type KeyFiles = Readonly<Record<(typeof files)[keyof typeof files][0], string>>;

/** The settings with the texts of the files that they name. @throws KeelError IBKR_CONFIG (final) for one that cannot be read. */
export function withKeyTexts<S extends KeyFiles>(settings: S): S & Record<keyof typeof files, string> {
  const text = (of: keyof typeof files): string => {
    const [setting, variable] = files[of];
    const file = settings[setting];
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw wrong(
        `broker.oauth.${setting} names a file that can not be read (${file}: ${code}); correct ${variable}, or the file's rights.`,
      );
    }
  };
  return {
    ...settings,
    signatureKey: text('signatureKey'),
    encryptionKey: text('encryptionKey'),
    dhParam: text('dhParam'),
  };
}

/** @throws KeelError IBKR_CONFIG (final) that names the setting and holds nothing of what it has. */
export function readCredentials(settings: OauthSettings): OauthCredentials {
  const { consumerKey, accessToken, realm } = settings;
  const encryptionKey = privateKey(settings.encryptionKey, 'broker.oauth.encryptionKeyFile');
  return {
    consumerKey,
    accessToken,
    realm,
    signatureKey: privateKey(settings.signatureKey, 'broker.oauth.signatureKeyFile'),
    secret: decrypted(settings.accessTokenSecret, encryptionKey),
    group: dhGroup(settings.dhParam),
  };
}
