// `npm test`: set-up with its servers, every check, every test. The last line is `N passed, N failed` and, where
// something could not be run here, `, N skipped`; each check counts as one test.
import { ensureBuild, ensureDependencies, ensureS3Server, ensureTemporal } from './setup.mjs';
import { duration, runMain, say } from './lib/say.mjs';
import { report, runChecks } from './lib/steps.mjs';
import { closingLine, runProject } from './lib/vitest.mjs';

/** Build, Temporal, S3: a missing part is a failure of its own, and the rest is still tested. */
const attempt = async (name, work) => {
  const start = performance.now();
  try {
    return { value: await work(), step: report(name, true, performance.now() - start, '') };
  } catch (error) {
    return { value: null, step: report(name, false, performance.now() - start, error.message) };
  }
};

const environmentFor = (cli, s3) => {
  const env = { ...process.env };
  if (cli !== null) env.TEMPORAL_CLI_PATH = cli;
  // The tests' own set-up need not try again what could not be had here.
  if (s3 === null) env.TESTS_S3 = 'none';
  return env;
};

const runTests = async (env) => {
  const results = [];
  for (const project of ['unit', 'integration']) {
    say(`\n== ${project} tests`);
    results.push(await runProject(project, { live: true, env, timeoutMs: 60 * 60_000 }));
  }
  return results;
};

const tellSkipped = (names) => {
  if (names.length === 0) return;
  say(`\n! ${names.length} tests were SKIPPED on this machine:`);
  for (const name of names) say(`!   ${name}`);
};

await runMain(async () => {
  const start = performance.now();
  await ensureDependencies();
  const [build, temporal] = await Promise.all([
    attempt('build', ensureBuild),
    attempt('temporal', () => ensureTemporal({ evenWithAddress: true })),
  ]);
  const s3 = await attempt('s3', ensureS3Server);
  say('\n== checks');
  const checks = [build.step, temporal.step, s3.step, ...(await runChecks())];
  const suites = await runTests(environmentFor(temporal.value, s3.value));
  const total = {
    passed: checks.filter((step) => step.passed).length,
    failed: checks.filter((step) => !step.passed).length,
    skipped: 0,
  };
  for (const suite of suites) {
    total.passed += suite.passed;
    total.failed += suite.failed;
    total.skipped += suite.skipped.length;
  }
  tellSkipped(suites.flatMap((suite) => suite.skipped));
  const failedChecks = checks.filter((step) => !step.passed).map((step) => step.name);
  if (failedChecks.length > 0) say(`\n✗ failed checks: ${failedChecks.join(', ')}`);
  say(`\nall of it took ${duration(performance.now() - start)}`);
  process.stdout.write(`${closingLine(total)}\n`);
  return total.failed === 0 ? 0 : 1;
});
