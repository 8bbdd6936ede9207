import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedact } from './redact.js';

describe('createRedact', () => {
  it('removes a known secret in every form in which a text can hold it', () => {
    const redact = createRedact(['p"ä ss/word+1']);
    for (const text of [
      'failed with p"ä ss/word+1 here',
      JSON.stringify({ said: 'p"ä ss/word+1' }),
      `https://host/?q=${encodeURIComponent('p"ä ss/word+1')}`,
    ]) {
      expect(redact(text)).toContain('[redacted]');
      expect(redact(text)).not.toContain('ss/word');
      expect(redact(text)).not.toContain('ss%2Fword');
    }
  });

  it.each([
    ['postgres://keel:hunter22@db:5432/keel', 'hunter22'],
    ['Authorization: Bearer abcdefghij', 'abcdefghij'],
    ['{"apiKey":"zzTopSecret"}', 'zzTopSecret'],
    ['cookie=session-value-1', 'session-value-1'],
    ['https://host/query?symbol=AAPL&apikey=DEMO1234&x=1', 'DEMO1234'],
    ['key sk-proj-abcdefgh1234', 'abcdefgh1234'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'c2lnbmF0dXJl'],
    ['keel_ab12cd_0123456789abcdef', '0123456789abcdef'],
    ['-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----', 'MIIEvQ'],
  ])('removes what looks like a secret: %s', (text, secret) => {
    expect(createRedact()(text)).not.toContain(secret);
  });

  it('leaves ordinary words alone', () => {
    const text = 'run/simulated/demo/AAPL/2014-07-07/after-close: order 17 accepted, password wrong';
    expect(createRedact(['abc'])(text)).toBe(text);
  });

  it('lets no known secret through, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!'[redacted]'.includes(secret) && !before.includes(secret) && !after.includes(secret));
        fc.pre(secret.trim().length >= 8);
        expect(createRedact([secret])(`${before}${secret}${after}`)).not.toContain(secret);
      }),
    );
  });
});
