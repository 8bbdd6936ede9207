// <dataDir>/auth.secret: what signs access tokens, made at the first start and kept, so that a restart logs nobody out.
// Called by settings.ts; with KEEL_AUTH_SECRET set it is neither made nor read.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from './records.js';

/** Readable by its owner only. */
export function authSecret(dataDir: string): string {
  const file = join(dataDir, 'auth.secret');
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text.length >= 32) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = randomBytes(32).toString('base64url');
  writeFileAtomically(file, `${made}\n`);
  return made;
}
