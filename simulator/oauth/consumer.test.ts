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
    const { accessTokenSecretFile, signatureKeyFile, encryptionKeyFile, dhParamFile } = settings;
    for (const file of [accessTokenSecretFile, signatureKeyFile, encryptionKeyFile, dhParamFile])
      expect(statSync(file).mode & 0o077).toBe(0);
    expect(createPrivateKey(readFileSync(signatureKeyFile)).asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(createDiffieHellman(Buffer.from(consumer.prime, 'hex'), consumer.generator).verifyError & 3).toBe(
      0,
    );
  });

  it('is refused where what is kept of it is damaged', () => {
    ownConsumer(directory);
    writeFileSync(join(directory, 'oauth', 'consumer.json'), '{}');
    expect(() => ownConsumer(directory)).toThrow('remove its folder');
  });
});
