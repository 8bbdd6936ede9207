// A consumer of OAuth of the simulator's own, as IBKR's self-service portal would make one: names, a secret, keys and
// parameters. Made once and kept in the simulator's directory, both halves of it. Called by server.ts.
import {
  constants,
  createDiffieHellmanGroup,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KeelError } from '../../ports/errors.js';
import type { OauthConsumer } from './verify.js';

/** What a client sets to log in as the consumer. The files are readable for their owner alone. */
export interface ConsumerSettings {
  readonly consumerKey: string;
  readonly accessToken: string;
  readonly realm: string;
  /** Base64, encrypted for the encryption key. */
  readonly accessTokenSecretFile: string;
  readonly signatureKeyFile: string;
  readonly encryptionKeyFile: string;
  readonly dhParamFile: string;
}

/** The broker's half, as it is kept. */
const consumerSchema = z.strictObject({
  consumerKey: z.string(),
  accessToken: z.string(),
  realm: z.string(),
  signatureKey: z.string(),
  secret: z.string().regex(/^([0-9a-f]{2})+$/),
  prime: z.string().regex(/^[0-9a-f]+$/),
  generator: z.number().int(),
});

/** Reads the directory's consumer, or makes one. @throws KeelError SIMULATOR_OAUTH where what is kept can not be read */
export function ownConsumer(directory: string): {
  readonly consumer: OauthConsumer;
  readonly settings: ConsumerSettings;
} {
  const folder = join(directory, 'oauth');
  const kept = join(folder, 'consumer.json');
  const files = {
    accessTokenSecretFile: join(folder, 'access-token-secret'),
    signatureKeyFile: join(folder, 'private_signature.pem'),
    encryptionKeyFile: join(folder, 'private_encryption.pem'),
    dhParamFile: join(folder, 'dhparam.pem'),
  };
  // Written last, so where it is the other files are.
  if (!existsSync(kept)) make(folder, kept, files);
  const consumer = read(kept);
  const { consumerKey, accessToken, realm } = consumer;
  return { consumer, settings: { consumerKey, accessToken, realm, ...files } };
}

function read(file: string): OauthConsumer {
  try {
    return consumerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    const message = `The simulator's OAuth consumer in ${file} cannot be read; remove its folder, and another one is made.`;
    throw new KeelError('SIMULATOR_OAUTH', message, { facts: { file }, cause });
  }
}

type Files = Pick<
  ConsumerSettings,
  'accessTokenSecretFile' | 'signatureKeyFile' | 'encryptionKeyFile' | 'dhParamFile'
>;

function make(folder: string, kept: string, files: Files): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [signature, encryption] = [rsaKey(), rsaKey()];
  // A prime of everybody's that is known to be safe; to find one of our own takes minutes.
  const prime = createDiffieHellmanGroup('modp14').getPrime();
  const secret = randomBytes(32);
  const padding = constants.RSA_PKCS1_PADDING;
  const encrypted = publicEncrypt({ key: createPublicKey(encryption), padding }, secret);
  const consumer: OauthConsumer = {
    consumerKey: 'KEELSIM01',
    accessToken: randomBytes(10).toString('hex'),
    realm: 'limited_poa',
    signatureKey: createPublicKey(signature).export({ format: 'pem', type: 'spki' }).toString(),
    secret: secret.toString('hex'),
    prime: prime.toString('hex'),
    generator: GENERATOR,
  };
  replace(files.signatureKeyFile, signature);
  replace(files.encryptionKeyFile, encryption);
  replace(files.dhParamFile, dhParamOf(prime));
  replace(files.accessTokenSecretFile, `${encrypted.toString('base64')}\n`);
  replace(kept, `${JSON.stringify(consumer)}\n`);
}

const GENERATOR = 2;

const rsaKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();

/** PEM as `openssl dhparam` writes it: DER of a SEQUENCE of prime and generator. */
function dhParamOf(prime: Buffer): string {
  // The prime's first bit is set: a byte of zeros says that it is not negative.
  const number = element(0x02, Buffer.concat([Buffer.from([0]), prime]));
  const der = element(0x30, Buffer.concat([number, element(0x02, Buffer.from([GENERATOR]))]));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN DH PARAMETERS-----', ...lines, '-----END DH PARAMETERS-----', ''].join('\n');
}

/** Tag, length and content. Lengths of 128 and more are told in two bytes, after their count. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
