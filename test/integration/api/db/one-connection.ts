import { createPool } from '#api/db/pool.ts';
import { createDatabase } from '#api/db/tx.ts';
import type { MigratedDatabase } from '#test/support/migrated-database.ts';
import { openShop, type Shop } from '../shop/shop.ts';

/** Writes that wait for a connection: a shop with one of them, where all that come while it is lent out are joined. */
export async function withOneConnection<T>(db: MigratedDatabase, use: (scene: Scene) => Promise<T>): Promise<T> {
  const pool = createPool(
    { ...db.settings, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 },
    'atalaya-joined',
  );
  const asked: string[] = [];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    const heard = (...given: unknown[]): unknown => {
      const [first] = given as [string | { name?: string }];
      const name = typeof first === 'string' ? first : (first.name ?? '');
      asked.push(name);
      const { cutAt } = scene;
      if (cutAt === undefined || !name.endsWith(scene.cutIn)) return query(...given);
      scene.cutAt = undefined;
      const lost = async (): Promise<never> => {
        if (cutAt === 'after') await query(...given);
        throw new Error('Connection terminated unexpectedly');
      };
      return lost();
    };
    Object.assign(client, { query: heard });
  });
  const shop = openShop(db, { database: createDatabase(pool) });
  const together = async <A>(work: () => Promise<A>[]): Promise<PromiseSettledResult<A>[]> => {
    const client = await pool.connect();
    const all = Promise.allSettled(work());
    asked.length = 0;
    setImmediate(() => client.release());
    return all;
  };
  const scene: Scene = { shop, asked, together, ask: (sql) => pool.query(sql), cutAt: undefined, cutIn: 's-record' };
  try {
    return await use(scene);
  } finally {
    await pool.end();
  }
}

export type Scene = {
  /** Where the next statement whose name ends with `cutIn` loses its connection: before it was carried out, or after. */
  cutAt: 'before' | 'after' | undefined;
  cutIn: string;
  readonly shop: Shop;
  /** On the one connection. */
  readonly ask: (sql: string) => Promise<{ rows: unknown[] }>;
  /** Names of the statements since the connection was given back. */
  readonly asked: readonly string[];
  readonly together: <A>(work: () => Promise<A>[]) => Promise<PromiseSettledResult<A>[]>;
};

/** What was answered. @throws where it was refused */
export const valueOf = <T>(result: PromiseSettledResult<T> | undefined): T => {
  if (result?.status !== 'fulfilled') throw new Error('was refused', { cause: result?.reason });
  return result.value;
};
