import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog('info', { write: (line) => lines.push(line) }));
  return lines.join('');
}

describe('createLog', () => {
  it('removes credentials at every depth where one could slip in', () => {
    const text = logged((log) => {
      log.info({
        authorization: 'hunter2',
        req: { headers: { authorization: 'hunter2', cookie: 'hunter2' } },
      });
      log.info({ headers: { 'set-cookie': 'hunter2' }, config: { objectStore: { secretKey: 'hunter2' } } });
    });
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('hunter2');
  });

  it('removes passwords from the URLs in errors', () => {
    const error = new Error('connect to postgres://keel:hunter2@localhost:5432/keel failed');
    const text = logged((log) => {
      log.error({ err: error });
    });
    expect(text).toContain('postgres://keel:***@localhost');
    expect(text).not.toContain('hunter2');
  });
});
