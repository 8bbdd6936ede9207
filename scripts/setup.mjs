// Everything that Keel needs before it can run, from nothing but Node and npm: `node scripts/setup.mjs`, and the first
// step of start, test, check, build and bench. Plain Node without dependencies, because it runs before they are there.
import { pathToFileURL } from 'node:url';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { ensureS3Server } from './lib/s3.mjs';
import { runMain, say } from './lib/say.mjs';
import { ensureTemporal } from './lib/temporal.mjs';

export { ensureBuild, ensureDependencies, ensureS3Server, ensureTemporal };

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    await ensureDependencies();
    const [cli] = await Promise.all([ensureTemporal(), ensureBuild()]);
    say(`✓ ready; Temporal: ${cli ?? process.env.TEMPORAL_ADDRESS}`);
    return 0;
  });
}
