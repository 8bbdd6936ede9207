// Finds or makes a real S3 server for the tests of the object store. Nothing but the tests needs one.
import path from 'node:path';
import { onPath, tryVersion } from './executables.mjs';
import { goInstall } from './goInstall.mjs';
import { withLock } from './lock.mjs';
import { cacheDir } from './paths.mjs';
import { say, SetupError } from './say.mjs';

const module = 'github.com/minio/minio@latest';

const given = (env) => {
  if (!env.MINIO_ACCESS_KEY || !env.MINIO_SECRET_KEY) {
    throw new SetupError('MINIO_ENDPOINT is set, so MINIO_ACCESS_KEY and MINIO_SECRET_KEY are needed too.');
  }
  return {
    kind: 'running',
    endpoint: env.MINIO_ENDPOINT,
    accessKey: env.MINIO_ACCESS_KEY,
    secretKey: env.MINIO_SECRET_KEY,
  };
};

/**
 * MINIO_ENDPOINT (a URL), else `minio` on PATH, else the cached one, else `go install`. With TESTS_S3=none there is none.
 * @returns {Promise<null | { kind: 'running', endpoint: string, accessKey: string, secretKey: string }
 *   | { kind: 'binary', path: string }>} null, after saying why, when none can be had: the tests that need one are skipped
 */
export const ensureS3Server = async (env = process.env) => {
  if (env.TESTS_S3 === 'none') return null;
  if (env.MINIO_ENDPOINT) return given(env);
  const cached = path.join(cacheDir(env), 'minio', 'minio');
  for (const candidate of [onPath('minio', env), cached]) {
    if (candidate !== null && (await tryVersion(candidate)) === null)
      return { kind: 'binary', path: candidate };
  }
  const problem = await withLock(
    path.join(cacheDir(env), '.lock-minio'),
    'building an S3 server',
    async () =>
      (await tryVersion(cached)) === null
        ? null
        : goInstall({
            module,
            name: 'minio',
            target: cached,
            what: 'S3 server for the tests (MinIO)',
            timeoutMs: 20 * 60_000,
          }),
  );
  if (problem === null) return { kind: 'binary', path: cached };
  say(`! no S3 server, so the tests that need one are SKIPPED: ${problem}`);
  say(
    '! To run them: set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY, or put `minio` on PATH, or install Go 1.21 or later.',
  );
  return null;
};
