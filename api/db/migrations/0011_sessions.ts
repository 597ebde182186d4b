import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // A session that has ended is deleted: nothing is left of it. previous_hash: of the refresh token that was changed last.
  await knex.raw(`
    CREATE TABLE sessions (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      client_id bigint NOT NULL CONSTRAINT sessions_client_fk REFERENCES clients (id_key),
      refresh_hash bytea NOT NULL,
      previous_hash bytea,
      created_at timestamptz NOT NULL DEFAULT now(),
      refreshed_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX sessions_of_client ON sessions (client_id);
    CREATE INDEX sessions_expired ON sessions (expires_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE sessions;');
}
