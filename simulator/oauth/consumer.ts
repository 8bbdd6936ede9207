// A consumer of OAuth of the simulator's own, as IBKR's self-service portal would make one: names, a secret, keys and
// parameters. Made once and kept in the simulator's directory, both halves of it. Called by server.ts.
import {
  constants,
  createDiffieHellmanGroup,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KeelError } from '../../ports/errors.js';
import type { OauthConsumer } from './verify.js';

/**
 * What a client sets to log in as the consumer: files alone, readable for their owner, as the simulator says all this in its
 * log.
 */
export interface ConsumerSettings {
  readonly realm: string;
  readonly consumerKeyFile: string;
  readonly accessTokenFile: string;
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
    consumerKeyFile: join(folder, 'consumer-key'),
    accessTokenFile: join(folder, 'access-token'),
    accessTokenSecretFile: join(folder, 'access-token-secret'),
    signatureKeyFile: join(folder, 'private_signature.pem'),
    encryptionKeyFile: join(folder, 'private_encryption.pem'),
    dhParamFile: join(folder, 'dhparam.pem'),
  };
  // Written last, so where it is the other files are.
  if (!existsSync(kept)) make(folder, kept, files);
  const consumer = read(folder, kept, files);
  return { consumer, settings: { realm: consumer.realm, ...files } };
}

/** Both halves: one that a power cut has emptied is told here, and not by a client that can not log in. */
function read(folder: string, kept: string, files: Files): OauthConsumer {
  try {
    const consumer = consumerSchema.parse(JSON.parse(readFileSync(kept, 'utf8')));
    for (const file of [files.signatureKeyFile, files.encryptionKeyFile])
      createPrivateKey(readFileSync(file));
    for (const file of Object.values(files))
      if (readFileSync(file, 'utf8').trim() === '') throw new Error(`${file} is empty`);
    return consumer;
  } catch (cause) {
    const message = `The simulator's OAuth consumer in ${folder} cannot be read; remove that folder, and another one is made.`;
    throw new KeelError('SIMULATOR_OAUTH', message, { facts: { folder }, cause });
  }
}

type Files = Omit<ConsumerSettings, 'realm'>;

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
  replace(files.consumerKeyFile, `${consumer.consumerKey}\n`);
  replace(files.accessTokenFile, `${consumer.accessToken}\n`);
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

/** On the disk before the next file is begun. */
function replace(file: string, text: string): void {
  const made = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeFileSync(made, text);
    fsyncSync(made);
  } finally {
    closeSync(made);
  }
  renameSync(`${file}.new`, file);
}
