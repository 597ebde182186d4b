import { Client } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';

/** How long an order that runs into the slow query holds its connection. */
const slowQuerySeconds = 1;

/** The endpoint name of orders that run into it. */
export const slowEndpoint = 'POST /orders (slow query)';

/** Share of requests that do, when it is mixed in: of 200 a second, ten connections' worth. */
export const slowQueryShare = 0.05;

/**
 * Makes orders without lines and with home delivery slow, by a trigger in a throw-away database. Such an order holds the
 * one connection of its transaction, as a slow statement does, and no row that another order waits for: what the others
 * then suffer is want of connections and nothing else.
 */
export async function installSlowQuery(settings: PostgresSettings): Promise<void> {
  const client = new Client(clientOptions(settings, 'atalaya-loadtest'));
  await client.connect();
  try {
    await client.query(`
      CREATE OR REPLACE FUNCTION loadtest_slow_query() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(${slowQuerySeconds}); RETURN NEW; END $$;
      CREATE OR REPLACE TRIGGER loadtest_slow_query BEFORE INSERT ON orders FOR EACH ROW
        WHEN (NEW.total_cents = 0 AND NEW.delivery_method = 3) EXECUTE FUNCTION loadtest_slow_query();`);
  } finally {
    await client.end();
  }
}
