// The vectors that scripts/oauth-vectors.py made, and their keys as a consumer and the broker each hold them.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { OauthSettings } from '../oauth/credentials.js';
import { recorded } from './gateway.js';

const schema = z.object({
  testOnlyKeys: z.object({
    signatureKeyDer: z.string(),
    encryptionKeyDer: z.string(),
    dhParamDer: z.string(),
    accessTokenSecret: z.string(),
  }),
  consumerKey: z.string(),
  accessToken: z.string(),
  realm: z.string(),
  nonce: z.string(),
  timestamp: z.string(),
  exchange: z.object({
    prime: z.string(),
    generator: z.number(),
    prepend: z.string(),
    random: z.string(),
    challenge: z.string(),
    url: z.string(),
    baseString: z.string(),
    signature: z.string(),
    header: z.string(),
  }),
  tokens: z.array(
    z.object({
      name: z.string(),
      bits: z.number(),
      response: z.string(),
      liveSessionToken: z.string(),
      signature: z.string(),
    }),
  ),
  calls: z.array(
    z.object({
      method: z.string(),
      url: z.string(),
      query: z.record(z.string(), z.string()),
      baseString: z.string(),
      signature: z.string(),
      header: z.string(),
    }),
  ),
});

export type OauthVectors = z.infer<typeof schema>;

export const oauthVectors = (): OauthVectors => schema.parse(recorded('oauth-vectors'));

const privateKey = (der: string) =>
  createPrivateKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'pkcs1' });

const pem = (der: string): string => privateKey(der).export({ format: 'pem', type: 'pkcs8' }).toString();

/** What a consumer configures. */
export function testConsumer(change: Partial<OauthSettings> = {}): OauthSettings {
  const { testOnlyKeys: keys, consumerKey, accessToken, realm } = oauthVectors();
  return {
    consumerKey,
    accessToken,
    realm,
    accessTokenSecret: keys.accessTokenSecret,
    signatureKey: pem(keys.signatureKeyDer),
    encryptionKey: pem(keys.encryptionKeyDer),
    dhParam: `-----BEGIN DH PARAMETERS-----\n${keys.dhParamDer}\n-----END DH PARAMETERS-----\n`,
    ...change,
  };
}

/** What the broker knows of the same consumer. */
export function testConsumerAtBroker() {
  const { testOnlyKeys: keys, consumerKey, accessToken, realm, exchange } = oauthVectors();
  const { prime, generator, prepend: secret } = exchange;
  const key = createPublicKey(privateKey(keys.signatureKeyDer));
  const signatureKey = key.export({ format: 'pem', type: 'spki' }).toString();
  return { consumerKey, accessToken, realm, prime, generator, secret, signatureKey };
}
