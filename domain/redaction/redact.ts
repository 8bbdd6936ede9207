// Takes secrets out of text: those that are known by value, and what looks like one. Every log, error report and bundle
// passes through it. Called by the logs of API and worker, adapters/errorReports, and the doctor's bundle.

export type Redact = (text: string) => string;

const mark = '[redacted]';

/** Shorter values would blacken ordinary words. */
const leastLength = 6;

/** What looks like a secret, whoever it belongs to. Quotes end a text of a JSON line. */
const looks: readonly (readonly [RegExp, string])[] = [
  // Passwords in URLs, as drivers like to put them into their errors.
  [/(\w+:\/\/[^\s:/@"']*):[^\s/@"']+@/g, '$1:***@'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${mark}`],
  [/\bOAuth\s+(?=[^\r\n]*oauth_)[^\r\n]+/gi, `OAuth ${mark}`],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, mark],
  [/\bsk-[A-Za-z0-9_-]{8,}/g, mark],
  [/\bkeel_[A-Za-z0-9]+_[A-Za-z0-9_-]{8,}/g, mark],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, mark],
  [
    /((?:api[_-]?key|access[_-]?key|secret[_-]?key|admin[_-]?token|access[_-]?token|refresh[_-]?token|password|passwd|secret|authorization|set-cookie|cookie)\\?["']?\s*[:=]\s*\\?["']?)(?!\*\*\*|\[redacted\]|null\b|Bearer \[|Basic \[)[^\s"',;&\\}]+/gi,
    `$1${mark}`,
  ],
];

/** The forms in which a value can stand in a text: plain, in a URL, in JSON. */
function formsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  return [...new Set([value, json, encodeURIComponent(value), encodeURI(value)])];
}

/**
 * @param secrets values that must never be seen; those under six characters are left to the patterns
 * @returns a function that replaces them, and whatever looks like a secret, by `[redacted]`
 */
export function createRedact(secrets: readonly string[] = []): Redact {
  const forms = secrets
    .filter((value) => value.length >= leastLength)
    .flatMap(formsOf)
    // The longest first, so that no part of it stays.
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let result = text;
    for (const form of forms) result = result.replaceAll(form, mark);
    for (const [pattern, replacement] of looks) result = result.replace(pattern, replacement);
    return result;
  };
}
