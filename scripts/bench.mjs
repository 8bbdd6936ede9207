// `npm run bench`: set-up, then the benchmark with the given arguments.
import { ensureBuild, ensureDependencies, ensureTemporal } from './setup.mjs';
import { runMain } from './lib/say.mjs';

await runMain(async () => {
  await ensureDependencies();
  // The benchmark measures a server of its own, in memory.
  const [cli] = await Promise.all([ensureTemporal({ evenWithAddress: true }), ensureBuild()]);
  process.env.TEMPORAL_CLI_PATH = cli;
  const { main } = await import('../dist/bench/main.js');
  return main(process.argv.slice(2));
});
