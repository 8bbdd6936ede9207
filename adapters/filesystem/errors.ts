// Says in Keel's words what went wrong with a file. Called by the filesystem object store only.
import { KeelError } from '../../ports/errors.js';

const full = new Set(['ENOSPC', 'EDQUOT']);
const forbidden = new Set(['EROFS', 'EACCES', 'EPERM']);
const passing = new Set(['EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ESTALE', 'ETIMEDOUT', 'ENODEV']);

/** The code of a Node file error, or an empty text. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Turns a file error into a KeelError; one that is a KeelError already stays as it is. */
export const fileError = (error: unknown, action: string, key: string, directory: string): KeelError => {
  if (error instanceof KeelError) return error;
  const cause = codeOf(error) || 'unknown error';
  const options = { facts: { key, directory, cause } };
  const what = `Could not ${action} object ${key} below ${directory}`;
  if (full.has(cause)) {
    return new KeelError(
      'OBJECT_STORE_FULL',
      `${what}: the disk is full (${cause}). Free space there, or move the data directory; it is tried again.`,
      { ...options, errorClass: 'retryable' },
    );
  }
  if (forbidden.has(cause)) {
    return new KeelError(
      'OBJECT_STORE_READONLY',
      `${what}: this process may not do so (${cause}). Make the directory writable for it, or choose another data directory.`,
      options,
    );
  }
  if (passing.has(cause)) {
    return new KeelError('OBJECT_STORE_AWAY', `${what}: the disk does not answer as it should (${cause}).`, {
      ...options,
      errorClass: 'retryable',
    });
  }
  return new KeelError('OBJECT_STORE_FAILED', `${what}: ${cause}. Look at the directory.`, options);
};

export const missing = (key: string, directory: string): KeelError =>
  new KeelError('OBJECT_MISSING', `There is no object ${key} below ${directory}.`, {
    facts: { key, directory },
  });

export const directoryMissing = (directory: string): KeelError =>
  new KeelError(
    'OBJECT_STORE_BUCKET_MISSING',
    `The object directory ${directory} does not exist: mount or restore it, or start Keel anew, which makes it.`,
    { facts: { directory } },
  );
