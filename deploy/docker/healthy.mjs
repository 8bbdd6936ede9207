// The health check of Keel's containers: node healthy.mjs URL, or node healthy.mjs file:PATH SECONDS for a process that
// serves nothing and touches a file instead. Exit code 0 when it lives.
import { statSync } from 'node:fs';

const [target = '', seconds = '30'] = process.argv.slice(2);

const lives = async () => {
  if (target.startsWith('file:')) {
    const age = Date.now() - statSync(target.slice('file:'.length)).mtimeMs;
    return age <= Number(seconds) * 1000;
  }
  const response = await fetch(target, { signal: AbortSignal.timeout(4000) });
  await response.body?.cancel();
  return response.ok;
};

const healthy = await lives().catch((error) => {
  console.error(`${target}: ${error instanceof Error ? error.message : String(error)}`);
  return false;
});
process.exit(healthy ? 0 : 1);
