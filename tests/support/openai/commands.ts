// The commands that look back at a run, typed as a user types them, on the file that `npm start -- --json` would have
// written. Used by tests/analystPanel.test.ts and tests/timeframes.test.ts.
import path from 'node:path';
import { createApi } from '../../../cli/api.js';
import { keel as command } from '../../../cli/main.js';
import { summaryOf, writeSummary } from '../../../cli/summary.js';
import type { ApiProcess } from '../api.js';
import type { TestStack } from '../stack.js';

export type Typed = (
  word: 'verify' | 'replay' | 'explain',
  runId: string,
) => Promise<{ readonly code: number; readonly text: string }>;

/** @param key of a user who may read every run */
export const commandsOn =
  (keel: TestStack, api: ApiProcess, key: string): Typed =>
  async (word, runId) => {
    const objectDir = path.join(keel.folder, 'objects');
    const places = {
      ...{ apiUrl: api.url, dataDir: keel.folder, databaseDir: null, objectDir },
      ledgerFile: keel.ledgerFile,
    };
    const file = path.join(keel.folder, `${runId}.json`);
    writeSummary(file, summaryOf(await createApi(api.url, key).run(runId), places));
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const env = () => ({ DATABASE_URL: keel.databaseUrl });
    return { code: await command([word, file], { out: say, err: say, env }), text: lines.join('\n') };
  };
