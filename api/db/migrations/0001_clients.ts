import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE api_keys (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL,
      role text NOT NULL CONSTRAINT api_keys_role_known CHECK (role IN ('operator', 'loadtest')),
      key_hash bytea NOT NULL CONSTRAINT api_keys_key_hash_unique UNIQUE,
      created_at timestamptz NOT NULL DEFAULT now(),
      revoked_at timestamptz,
      last_used_at timestamptz
    );

    CREATE TABLE clients (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL,
      lastname text NOT NULL,
      email text NOT NULL,
      telephone text,
      password_hash text,
      created_by_key_id bigint CONSTRAINT clients_created_by_key_fk REFERENCES api_keys (id),
      deleted_at timestamptz,
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX clients_email_unique ON clients (lower(email));
    CREATE INDEX clients_created_by_key ON clients (created_by_key_id) WHERE created_by_key_id IS NOT NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE clients; DROP TABLE api_keys;');
}
