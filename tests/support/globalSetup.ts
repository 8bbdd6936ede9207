// Runs once before the integration tests: dist/ is current, and the tests learn where Temporal and S3 are.
import type { TestProject } from 'vitest/node';
import { ensureBuild, ensureS3Server, ensureTemporal } from '../../scripts/setup.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Temporal CLI. */
    temporalCli: string | null;
    s3: Awaited<ReturnType<typeof ensureS3Server>>;
  }
}

export default async function globalSetup(project: TestProject): Promise<void> {
  await ensureBuild();
  project.provide('temporalCli', await ensureTemporal({ evenWithAddress: true }));
  project.provide('s3', await ensureS3Server());
}
