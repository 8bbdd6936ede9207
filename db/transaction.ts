// One transaction on one connection. Called by the stores whose work does not fit into one statement.
import type { PoolClient } from 'pg';
import type { Database } from './connect.js';

/** Commits what `work` did, or takes all of it back. */
export const inTransaction = <T>(db: Database, work: (client: PoolClient) => Promise<T>): Promise<T> =>
  db.guard(async () => {
    const client = await db.pool.connect();
    // A connection that breaks fails the query that is under way; without a listener it would end the process.
    const heard = (): void => undefined;
    client.on('error', heard);
    let broken = true;
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      broken = false;
      return result;
    } catch (error) {
      broken = await client.query('rollback').then(
        () => false,
        () => true,
      );
      throw error;
    } finally {
      client.off('error', heard);
      client.release(broken);
    }
  });
