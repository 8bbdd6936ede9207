// `npm run build`: dist/ as it runs in production.
import { ensureBuild, ensureDependencies } from './setup.mjs';
import { runMain, say } from './lib/say.mjs';

await runMain(async () => {
  await ensureDependencies();
  await ensureBuild();
  say('✓ dist/ is current');
  return 0;
});
