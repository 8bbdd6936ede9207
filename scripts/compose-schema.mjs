// Fetches the schema of the Compose Specification again, from the Go module that holds it: node scripts/compose-schema.mjs
// [VERSION]. Needs Go. The test of docker-compose.yml reads the committed copy, so it needs neither.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './lib/paths.mjs';
import { runMain, say, SetupError } from './lib/say.mjs';

const module = 'github.com/compose-spec/compose-go/v2';
const target = path.join(root, 'scripts', 'schemas', 'compose-spec.json');

await runMain(async () => {
  const version = process.argv[2] ?? 'v2.16.2';
  const { status, stdout, stderr, error } = spawnSync(
    'go',
    ['mod', 'download', '-json', `${module}@${version}`],
    {
      encoding: 'utf8',
      timeout: 120_000,
    },
  );
  if (error) throw new SetupError(`go does not run (${error.code}): install Go 1.21 or later`);
  if (status !== 0) throw new SetupError(`${module}@${version} can not be fetched: ${stderr || stdout}`);
  copyFileSync(path.join(JSON.parse(stdout).Dir, 'schema', 'compose-spec.json'), target);
  chmodSync(target, 0o644);
  say(
    `✓ ${path.relative(root, target)} is that of ${version}; name the version in scripts/schemas/README.md`,
  );
  return 0;
});
