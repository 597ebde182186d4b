import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Whose personal data a stored answer holds, so that it can be erased with them: until now those to registrations.
  await knex.raw(`
    ALTER TABLE idempotency_keys ADD COLUMN owner text;
    UPDATE idempotency_keys SET owner = 'client:' || substring(headers ->> 'Location' FROM '^/api/v1/clients/([0-9]+)$')
    WHERE headers ->> 'Location' LIKE '/api/v1/clients/%';
    CREATE INDEX idempotency_keys_owner ON idempotency_keys (owner) WHERE owner IS NOT NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE idempotency_keys DROP COLUMN owner;');
}
