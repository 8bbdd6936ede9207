// `npm start`: set-up, then the supervisor, which prints and ends everything itself.
import { ensureBuild, ensureDependencies, ensureTemporal } from './setup.mjs';
import { runMain } from './lib/say.mjs';

await runMain(async () => {
  await ensureDependencies();
  const [cli] = await Promise.all([ensureTemporal(), ensureBuild()]);
  if (cli !== null) process.env.TEMPORAL_CLI_PATH = cli;
  const { main } = await import('../dist/cli/supervisor/main.js');
  return main(process.argv.slice(2));
});
