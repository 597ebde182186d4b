import createKnexInstance, { type Knex } from 'knex';
import type { Pool } from 'pg';

/** Knex, and Objection on it, over the given pool. `destroy()` leaves the pool open: whoever made it ends it. */
export function createKnex(pool: Pool): Knex {
  return createKnexInstance({ client: 'pg', connectionPool: pool, log: silent });
}

/** Knex prints failures that it also throws; whoever catches them logs them once. */
const silent: Knex.Logger = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} };
