import { createDiffieHellman, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownConsumer } from './consumer.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keel-consumer-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('the consumer of the simulator itself', () => {
  it('is made once, with files for its owner alone', () => {
    const { consumer, settings } = ownConsumer(directory);
    expect(ownConsumer(directory)).toEqual({ consumer, settings });
    const { realm, ...files } = settings;
    expect(realm).toBe(consumer.realm);
    for (const file of Object.values(files)) expect(statSync(file).mode & 0o077).toBe(0);
    expect(createPrivateKey(readFileSync(files.signatureKeyFile)).asymmetricKeyDetails?.modulusLength).toBe(
      2048,
    );
    expect(createDiffieHellman(Buffer.from(consumer.prime, 'hex'), consumer.generator).verifyError & 3).toBe(
      0,
    );
    expect(readFileSync(files.consumerKeyFile, 'utf8').trim()).toBe(consumer.consumerKey);
    expect(readFileSync(files.accessTokenFile, 'utf8').trim()).toBe(consumer.accessToken);
  });

  it('says nothing of its values, which go into a log', () => {
    const { consumer, settings } = ownConsumer(directory);
    for (const value of [consumer.consumerKey, consumer.accessToken, consumer.secret])
      expect(JSON.stringify(settings)).not.toContain(value);
  });

  it('is refused where what is kept of it is damaged', () => {
    ownConsumer(directory);
    writeFileSync(join(directory, 'oauth', 'consumer.json'), '{}');
    expect(() => ownConsumer(directory)).toThrow('remove that folder');
  });

  it('is refused where a power cut has emptied one of its files', () => {
    ownConsumer(directory);
    for (const name of [
      'private_signature.pem',
      'private_encryption.pem',
      'access-token-secret',
      'dhparam.pem',
    ]) {
      const file = join(directory, 'oauth', name);
      const whole = readFileSync(file);
      writeFileSync(file, '');
      expect(() => ownConsumer(directory), name).toThrow('remove that folder');
      writeFileSync(file, whole);
    }
    expect(() => ownConsumer(directory)).not.toThrow();
  });
});
