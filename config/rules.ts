// Rules that no single setting can break: mode, broker, account and trading state must fit each other.
// Called by load.ts with the sections that the process needs.
import { told, type Problem } from './problems.js';
import type { Tree } from './layers.js';
import { getPath } from './layers.js';

interface Facts {
  readonly mode: unknown;
  readonly kind: unknown;
  readonly account: string;
  readonly adminUrl: string;
  readonly baseUrl: string;
  readonly tradingState: unknown;
}

const problem = (path: string, given: unknown, text: string, fix: string): Problem => ({
  path,
  given: given === undefined ? null : told(given),
  from: null,
  problem: text,
  fix,
});

const textIn =
  (tree: Tree) =>
  (path: string): string => {
    const value = getPath(tree, path.split('.'));
    return typeof value === 'string' ? value : '';
  };

/** Problems between settings. `tree` holds all layers merged; only the needed sections are judged. */
export function crossProblems(tree: Tree, needs: (section: string) => boolean): Problem[] {
  const text = textIn(tree);
  const facts: Facts = {
    mode: tree['mode'],
    kind: getPath(tree, ['broker', 'kind']),
    account: text('broker.accountId'),
    adminUrl: text('simulator.adminUrl'),
    baseUrl: text('broker.baseUrl'),
    tradingState: getPath(tree, ['risk', 'tradingState']),
  };
  return [
    ...(needs('risk') ? riskProblems(facts) : []),
    ...(needs('model') ? modelProblems(tree) : []),
    ...(needs('oidc') ? oidcProblems(text, tree['environment'] === 'production') : []),
    ...(needs('broker') ? [...brokerProblems(facts), ...accountProblems(facts), ...trustProblems(tree)] : []),
    ...(needs('broker') && needs('simulator') ? clockProblems(facts) : []),
    ...(needs('simulator') ? simulatedPrices(tree, facts, needs) : []),
  ];
}

/** A model needs a name, and a key travels encrypted or not at all. */
function modelProblems(tree: Tree): Problem[] {
  const text = textIn(tree);
  const [key, url, model] = [text('model.apiKey'), text('model.baseUrl'), text('model.model')];
  const profiles = Object.keys(getPath(tree, ['model', 'profiles']) ?? {});
  if (key === '' && url === '') {
    const why = 'is set, and the profile default, which is asked where none is named, is not';
    const fix =
      'set OPENAI_MODEL with OPENAI_API_KEY or OPENAI_BASE_URL, which make it, or unset KEEL_MODEL_PROFILES';
    return profiles.length === 0 ? [] : [problem('model.profiles', undefined, why, fix)];
  }
  const found: Problem[] = [];
  if (model === '') {
    const why = 'is not set, and a key or a base URL of a model is';
    found.push(problem('model.model', undefined, why, 'set OPENAI_MODEL to the name of the model'));
  }
  found.push(...addressProblems('model.baseUrl', url, key, 'OPENAI_BASE_URL', 'OPENAI_API_KEY'));
  for (const name of profiles) {
    const path = `model.profiles.${name}`;
    const [ofUrl, ofKey] = [text(`${path}.baseUrl`), text(`${path}.apiKey`)];
    if (ofUrl === '' && text(`${path}.key`) === '') {
      const why = 'is not set, and OpenAI itself asks for one';
      found.push(problem(`${path}.key`, undefined, why, 'set it to env:NAME or file:PATH, or set baseUrl'));
    }
    found.push(...addressProblems(`${path}.baseUrl`, ofUrl, ofKey, 'it', 'its key'));
  }
  return found;
}

function addressProblems(path: string, url: string, key: string, address: string, secret: string): Problem[] {
  if (url === '') return [];
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (
    parsed === null ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.username !== '' ||
    parsed.search !== ''
  ) {
    // Not shown: what is wrong with it may be a password in it.
    const why = 'is no http or https address without user, password and query';
    return [problem(path, undefined, why, `correct ${address}, such as http://127.0.0.1:11434/v1`)];
  }
  if (parsed.protocol === 'http:' && key !== '' && !loopback.test(parsed.hostname)) {
    return [problem(path, url, 'would carry the key unencrypted', `use https, or unset ${secret}`)];
  }
  return [];
}

/** What proves who somebody is travels encrypted; on this machine alone it need not, outside production. */
function oidcProblems(text: (path: string) => string, production: boolean): Problem[] {
  if (text('oidc.issuer') === '') return [];
  const found: Problem[] = [];
  if (text('oidc.clientId') === '') {
    const why = 'is not set, and an identity provider is';
    found.push(problem('oidc.clientId', undefined, why, 'set KEEL_OIDC_CLIENT_ID as the provider gave it'));
  }
  for (const [path, variable] of [
    ['oidc.issuer', 'KEEL_OIDC_ISSUER'],
    ['oidc.redirectUrl', 'KEEL_OIDC_REDIRECT_URL'],
  ] as const) {
    const url = URL.canParse(text(path)) ? new URL(text(path)) : null;
    const plain = url !== null && url.username === '' && url.search === '' && url.hash === '';
    const local = url?.protocol === 'http:' && loopback.test(url.hostname) && !production;
    if (plain && (url.protocol === 'https:' || local)) continue;
    // Not shown: what is wrong with it may be a password in it.
    const why = 'is no https address without user, query and fragment';
    found.push(
      problem(path, undefined, why, `correct ${variable}; http is for this machine, outside production`),
    );
  }
  return found;
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A Keel reads bars, and a market of live prices has none. */
function simulatedPrices(tree: Tree, { kind }: Facts, needs: (section: string) => boolean): Problem[] {
  const chain = getPath(tree, ['simulator', 'priceChain']);
  if (!Array.isArray(chain) || chain.length === 0) return [];
  const path = 'simulator.priceChain';
  if (needs('broker') && kind === 'simulator') {
    const why = 'leaves the simulator without the bars that Keel trades on';
    const fix = 'unset KEEL_SIMULATOR_PRICE_CHAIN, or run keel simulator alone with it';
    return [problem(path, chain, why, fix)];
  }
  const hasKey = getPath(tree, ['prices', 'alphaVantageKey']) !== '';
  if (!needs('prices') || hasKey || chain.some((name) => name !== 'alphavantage')) return [];
  return [problem(path, chain, 'names no source that works without a key', 'set ALPHAVANTAGE_API_KEY')];
}

function riskProblems({ mode, tradingState }: Facts): Problem[] {
  if (mode !== 'live' || tradingState === undefined || tradingState === 'HALTED') return [];
  return [
    problem(
      'risk.tradingState',
      tradingState,
      'live mode starts HALTED, until a person acts',
      'remove KEEL_RISK_TRADING_STATE, or set it to HALTED',
    ),
  ];
}

function brokerProblems({ mode, kind, baseUrl, adminUrl }: Facts): Problem[] {
  if (kind === 'simulator' && (mode === 'paper' || mode === 'live')) {
    return [
      problem(
        'broker.kind',
        kind,
        `the simulator is no broker for ${mode} mode`,
        'set KEEL_BROKER=ibkr, or KEEL_MODE=simulated',
      ),
    ];
  }
  if (kind === 'ibkr' && mode === 'simulated' && host(baseUrl) !== host(adminUrl)) {
    return [
      problem(
        'broker.kind',
        kind,
        'in simulated mode it may only point at the simulator',
        'set KEEL_MODE=paper or live for a real gateway, or give IBKR_BASE_URL and KEEL_SIMULATOR_ADMIN_URL of one simulator',
      ),
    ];
  }
  return [];
}

/** IBKR's paper accounts begin with D; a live account in paper mode, or the other way round, is a mistake. */
function accountProblems({ mode, account }: Facts): Problem[] {
  const paper = /^D/i.test(account);
  if (account === '' || mode === 'simulated' || (mode === 'paper') === paper) return [];
  return [
    problem(
      'broker.accountId',
      account,
      paper ? 'is a paper account in live mode' : 'is no paper account (they begin with D) in paper mode',
      'set IBKR_ACCOUNT and KEEL_MODE so that they fit each other',
    ),
  ];
}

function clockProblems({ mode, adminUrl }: Facts): Problem[] {
  if (mode !== 'simulated' || adminUrl !== '') return [];
  return [
    problem(
      'simulator.adminUrl',
      undefined,
      'is not set, and in simulated mode it is the market clock',
      'set KEEL_SIMULATOR_ADMIN_URL, or use npm start, which starts a simulator of its own',
    ),
  ];
}

/** A gateway shows a certificate of its own, which must be known; IBKR itself wants a whole consumer, a simulator both. */
function trustProblems(tree: Tree): Problem[] {
  const unset = (path: string): boolean => {
    const value = getPath(tree, path.split('.'));
    return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  };
  const missing = (path: string, fix: string): Problem[] =>
    unset(path) ? [problem(path, undefined, 'is not set', fix)] : [];
  if (getPath(tree, ['broker', 'connection']) !== 'oauth') {
    // Only the simulator is npm start's own.
    const outside = ['paper', 'live'].includes(String(getPath(tree, ['mode'])));
    const how = outside ? ': keel ibkr trust reads it' : ', or use npm start';
    return [
      ...missing('broker.caFile', `set IBKR_CA_FILE to the PEM file of the gateway's certificate${how}`),
      ...missing(
        'broker.certSha256',
        `set IBKR_CERT_SHA256 to the SHA-256 of the gateway's certificate${how}`,
      ),
    ];
  }
  const isSimulator = getPath(tree, ['broker', 'kind']) === 'simulator';
  const fix = isSimulator
    ? 'unset IBKR_CONNECTION and set KEEL_SIMULATOR_OAUTH=on for npm start, or set'
    : 'set';
  const isElsewhere =
    isSimulator && hostAt(tree, 'broker', 'baseUrl') !== hostAt(tree, 'simulator', 'adminUrl');
  return [
    ...(isElsewhere ? [notTheSimulator(getPath(tree, ['broker', 'baseUrl']))] : []),
    ...(isSimulator ? missing('broker.caFile', `${fix} IBKR_CA_FILE to the simulator's certificate`) : []),
    ...Object.entries(oauthVariables).flatMap(([key, variable]) =>
      missing(`broker.oauth.${key}`, `${fix} ${variable}, as IBKR_CONNECTION=oauth needs it`),
    ),
  ];
}

/** No certificate is pinned here, so the address has to show that these are not orders for IBKR itself. */
const notTheSimulator = (baseUrl: unknown): Problem =>
  problem(
    'broker.baseUrl',
    baseUrl,
    'is not where the simulator is',
    "set IBKR_BASE_URL to the simulator's `oauthUrl`, or set KEEL_BROKER=ibkr and KEEL_MODE=paper",
  );

function hostAt(tree: Tree, ...path: string[]): string | null {
  const url = getPath(tree, path);
  return typeof url === 'string' ? host(url) : null;
}

const oauthVariables = {
  consumerKey: 'IBKR_OAUTH_CONSUMER_KEY',
  accessToken: 'IBKR_OAUTH_ACCESS_TOKEN',
  accessTokenSecret: 'IBKR_OAUTH_ACCESS_TOKEN_SECRET (or IBKR_OAUTH_ACCESS_TOKEN_SECRET_FILE)',
  signatureKeyFile: 'IBKR_OAUTH_SIGNATURE_KEY_FILE',
  encryptionKeyFile: 'IBKR_OAUTH_ENCRYPTION_KEY_FILE',
  dhParamFile: 'IBKR_OAUTH_DH_PARAM_FILE',
};

const host = (url: string): string | null => (URL.canParse(url) ? new URL(url).hostname : null);
