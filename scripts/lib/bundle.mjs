// Bundles the compiled workflows for the worker: node bundle.mjs <workflows/index.js> <bundle.js>. Started by build.mjs
// as a process of its own, because webpack's memory should not stay with the supervisor.
import { rename, writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';

const [workflowsPath, target] = process.argv.slice(2);
const complaints = [];
const note = (level) => (message) => {
  if (level === 'WARN' || level === 'ERROR') complaints.push(`${level} ${message}`);
};
const logger = {
  log: (level, message) => note(level)(message),
  trace: note('TRACE'),
  debug: note('DEBUG'),
  info: note('INFO'),
  warn: note('WARN'),
  error: note('ERROR'),
};

try {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger });
  if (complaints.length > 0) throw new Error('the bundler warns');
  await writeFile(`${target}.new`, code);
  await rename(`${target}.new`, target);
} catch (error) {
  for (const complaint of complaints) console.error(complaint);
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
