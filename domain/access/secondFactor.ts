// The second factor: what a code looks like, for how long it proves somebody, and where it is asked for. Called by the
// API's services of access and by the gate.
import type { RouteRule } from './routes.js';

/** RFC 6238 with its defaults, which every authenticator knows. */
export const codeDigits = 6;
export const codeStepSeconds = 30;

/** Steps before and after the current one whose codes are taken: clocks differ, and typing takes time. */
export const codeWindow = 1;

/** Milliseconds for which a login may act after it has proved the second factor. */
export const proofMs = 5 * 60_000;

/** Milliseconds after logging in in which one without a password may set a second factor up. */
export const freshLoginMs = 10 * 60_000;

export const recoveryCodes = 10;

/** A recovery code as it is hashed: authenticators and people add blanks, dashes and capitals. */
export const plainCode = (code: string): string => code.replace(/[\s-]/g, '').toLowerCase();

export const isTimeCode = (plain: string): boolean => /^\d{6}$/.test(plain);
export const isRecoveryCode = (plain: string): boolean => /^[a-z2-7]{16}$/.test(plain);

/**
 * Whether a call can move money or power, so that live mode asks for the second factor. A route that changes something
 * and needs a trader or more is one unless the table says otherwise: a new route is asked for it until somebody decides.
 */
export const isAct = ({ method, needs, acts }: RouteRule): boolean =>
  acts ?? (method !== 'get' && (needs === 'trader' || needs === 'admin'));
