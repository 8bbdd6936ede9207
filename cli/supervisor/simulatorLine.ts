// What the simulator says of itself when it is ready, and what that means for the processes that trade with it. Called by
// boot.ts.
import { z } from 'zod';

export const simulatorLine = z.object({
  baseUrl: z.string(),
  adminUrl: z.string(),
  caFile: z.string(),
  certSha256: z.string(),
  ledgerFile: z.string(),
  oauthUrl: z.string().optional(),
  oauthConsumer: z
    .object({
      realm: z.string(),
      consumerKeyFile: z.string(),
      accessTokenFile: z.string(),
      accessTokenSecretFile: z.string(),
      signatureKeyFile: z.string(),
      encryptionKeyFile: z.string(),
      dhParamFile: z.string(),
    })
    .optional(),
});

export type SimulatorFacts = z.infer<typeof simulatorLine>;

/** Where the broker is, and how one logs in to it. */
export const brokerEnvironment = (simulator: SimulatorFacts): Record<string, string> => ({
  IBKR_BASE_URL: simulator.baseUrl,
  IBKR_CA_FILE: simulator.caFile,
  IBKR_CERT_SHA256: simulator.certSha256,
  KEEL_SIMULATOR_ADMIN_URL: simulator.adminUrl,
  ...loginByOauth(simulator),
});

/**
 * What Keel needs to be the consumer that the simulator has made. Where it has made none it is asked as a gateway, also with a
 * consumer of IBKR in the environment: that one's key is nothing for the simulator. Empty values take the place of IBKR's own.
 */
const loginByOauth = ({ oauthUrl, oauthConsumer }: SimulatorFacts): Record<string, string> =>
  oauthUrl === undefined || oauthConsumer === undefined
    ? { IBKR_CONNECTION: 'gateway' }
    : {
        IBKR_CONNECTION: 'oauth',
        IBKR_BASE_URL: oauthUrl,
        IBKR_OAUTH_CONSUMER_KEY: '',
        IBKR_OAUTH_CONSUMER_KEY_FILE: oauthConsumer.consumerKeyFile,
        IBKR_OAUTH_ACCESS_TOKEN: '',
        IBKR_OAUTH_ACCESS_TOKEN_FILE: oauthConsumer.accessTokenFile,
        IBKR_OAUTH_ACCESS_TOKEN_SECRET: '',
        IBKR_OAUTH_ACCESS_TOKEN_SECRET_FILE: oauthConsumer.accessTokenSecretFile,
        IBKR_OAUTH_SIGNATURE_KEY_FILE: oauthConsumer.signatureKeyFile,
        IBKR_OAUTH_ENCRYPTION_KEY_FILE: oauthConsumer.encryptionKeyFile,
        IBKR_OAUTH_DH_PARAM_FILE: oauthConsumer.dhParamFile,
        IBKR_OAUTH_REALM: oauthConsumer.realm,
      };
