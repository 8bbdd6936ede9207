// `npm run check`: what can be known in under two minutes and without a server.
import { ensureBuild, ensureDependencies } from './setup.mjs';
import { duration, runMain, say } from './lib/say.mjs';
import { report, runChecks } from './lib/steps.mjs';
import { runProject } from './lib/vitest.mjs';

const bundle = async () => {
  const start = performance.now();
  const problem = await ensureBuild().then(
    () => null,
    (error) => String(error.message),
  );
  return report('bundle', problem === null, performance.now() - start, problem ?? '');
};

const unit = async () => {
  const start = performance.now();
  const result = await runProject('unit', { live: false, timeoutMs: 10 * 60_000 });
  const { passed, failed, skipped } = result;
  return report(
    `unit tests: ${passed} passed, ${failed} failed, ${skipped.length} skipped`,
    failed === 0,
    performance.now() - start,
    result.output,
  );
};

await runMain(async () => {
  const start = performance.now();
  await ensureDependencies();
  const results = await runChecks([bundle, unit]);
  const failed = results.filter((step) => !step.passed).map((step) => step.name);
  say(
    `${failed.length === 0 ? '✓ all checks pass' : `✗ failed: ${failed.join('; ')}`} (${duration(performance.now() - start)})`,
  );
  return failed.length === 0 ? 0 : 1;
});
