import { describe, expect, it } from 'vitest';
import { temporalConnection } from './connection.js';

const openly = { tlsCaFile: '', tlsCertFile: '', tlsKeyFile: '', tlsServerName: '', apiKey: '' };

describe('temporalConnection', () => {
  it('is plain when nothing is given', () => {
    expect(temporalConnection('127.0.0.1:7233', openly)).toEqual({ address: '127.0.0.1:7233' });
  });

  it('sends an API key over TLS only', () => {
    const address = 'eu-west-1.aws.api.temporal.io:7233';
    expect(temporalConnection(address, { ...openly, apiKey: 'the-key' })).toEqual({
      address,
      tls: {},
      apiKey: 'the-key',
    });
  });

  it('wants certificate and key together', () => {
    expect(() => temporalConnection('t:1', { ...openly, tlsKeyFile: '/k.pem' })).toThrow(/needs its key/);
  });

  it('names the variable of a file that can not be read', () => {
    expect(() => temporalConnection('t:1', { ...openly, tlsCaFile: '/nowhere/ca.pem' })).toThrow(
      /ENOENT.*TEMPORAL_TLS_CA_FILE/,
    );
  });
});
