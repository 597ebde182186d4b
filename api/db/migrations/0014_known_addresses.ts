import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Keyed digests of the addresses that a client proved itself from, so that strangers who guess cannot keep it out there.
  await knex.raw(`
    CREATE TABLE known_addresses (
      client_id bigint NOT NULL CONSTRAINT known_addresses_client_fk REFERENCES clients (id_key),
      address_digest bytea NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT known_addresses_pk PRIMARY KEY (client_id, address_digest)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE known_addresses;');
}
