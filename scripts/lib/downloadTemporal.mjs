// Lets the Temporal SDK download its CLI: node downloadTemporal.mjs <folder> <version>. Started by temporal.mjs as a
// process of its own, because the SDK has no time limit for it.
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir, version] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir, version } },
  });
  await environment.teardown();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
