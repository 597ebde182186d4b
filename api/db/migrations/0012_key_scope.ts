import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ALTER TABLE api_keys
      ADD COLUMN scope text NOT NULL DEFAULT 'all' CONSTRAINT api_keys_scope_known CHECK (scope IN ('all', 'read')),
      ADD COLUMN expires_at timestamptz;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE api_keys DROP COLUMN scope, DROP COLUMN expires_at;');
}
