// Which keys every object store takes: one rule, so that a key good for one store is good for all of them.
// Called by the adapters of the object store before anything else.
import { KeelError } from './errors.js';

const segment = /^[A-Za-z0-9][A-Za-z0-9._=@+,~%-]{0,199}$/;

/**
 * Accepts segments joined by slashes: letters, digits and `._=@+,~%-`, each starting with a letter or digit and at most
 * 200 characters long, 900 in all. So no key is absolute, climbs out with `..`, or is hidden.
 * @throws KeelError OBJECT_KEY_INVALID (final)
 */
export const checkObjectKey = (key: string): void => {
  if (key.length <= 900 && key.split('/').every((part) => segment.test(part))) return;
  throw new KeelError(
    'OBJECT_KEY_INVALID',
    `The object key ${JSON.stringify(key.slice(0, 120))} is not allowed: use segments of letters, digits and ._=@+,~%- joined by slashes, each starting with a letter or digit.`,
    { facts: { key: key.slice(0, 120) } },
  );
};
