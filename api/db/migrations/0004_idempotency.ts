import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // status is null while the request that made the row has not committed, so no other transaction ever sees it null.
  await knex.raw(`
    CREATE TABLE idempotency_keys (
      principal text NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      status smallint,
      headers jsonb,
      body text,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT idempotency_keys_pk PRIMARY KEY (principal, key)
    );
    CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE idempotency_keys;');
}
