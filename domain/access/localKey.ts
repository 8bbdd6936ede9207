// The name that tells the key of a machine's `keel` command from keys that people made. Used where such keys are made,
// spared and kept from being named so by others.

/** Followed by the machine and its data folder; the HTTP API gives no key such a name. */
export const localKeyPrefix = 'keel command, ';

export const isLocalKey = (name: string): boolean => name.startsWith(localKeyPrefix);
