// `npm run topology`: set-up, then the processes of docker-compose.yml without containers.
import { ensureBuild, ensureDependencies, ensureTemporal } from './setup.mjs';
import { runMain } from './lib/say.mjs';

await runMain(async () => {
  await ensureDependencies();
  const [cli] = await Promise.all([ensureTemporal({ evenWithAddress: true }), ensureBuild()]);
  const { main } = await import('../dist/cli/topology/main.js');
  return main(process.argv.slice(2), cli);
});
