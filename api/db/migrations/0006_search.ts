import type { Knex } from 'knex';
import { ConfigError, messageOf } from '#lib/errors.ts';

export async function up(knex: Knex): Promise<void> {
  // A trusted extension: whoever may create in the database may install it.
  await knex.raw('CREATE EXTENSION IF NOT EXISTS pg_trgm').catch((err: unknown) => {
    const cure = 'let a superuser run CREATE EXTENSION pg_trgm in this database (it comes with postgresql-contrib), then migrate again';
    throw new ConfigError(
      [`the search for products needs PostgreSQL's pg_trgm, which this role cannot install: ${messageOf(err)}; ${cure}`],
      {
        cause: err,
      },
    );
  });
  // It finds the names that contain what is searched for by their pieces of three letters, instead of reading them all.
  // Names seldom change, so what is new goes straight into the index and no search has to read a list of it.
  await knex.raw('CREATE INDEX products_name_search ON products USING gin (name gin_trgm_ops) WITH (fastupdate = off)');
}

export async function down(knex: Knex): Promise<void> {
  // The extension stays: it may have been there before, for others.
  await knex.raw('DROP INDEX products_name_search');
}
