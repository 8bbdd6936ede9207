#!/usr/bin/env node
// The `keel` command in a checkout: makes dependencies and dist/ current, then hands over to cli/main.ts.
import { ensureBuild, ensureDependencies } from '../../scripts/setup.mjs';
import { runMain } from '../../scripts/lib/say.mjs';

await runMain(async () => {
  await ensureDependencies();
  await ensureBuild();
  const { main } = await import('../../dist/cli/main.js');
  return main(process.argv.slice(2));
});
