import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE addresses (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      street text,
      number text,
      city text,
      client_id bigint NOT NULL CONSTRAINT addresses_client_fk REFERENCES clients (id_key),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX addresses_of_client ON addresses (client_id, id_key);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE addresses;');
}
