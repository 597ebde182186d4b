import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';

export type TestDatabase = {
  readonly settings: PostgresSettings;
  readonly drop: () => Promise<void>;
};

/**
 * A database of its own in the run's cluster: empty, or a copy of `template`.
 * The role is a superuser, so tests may also create databases and roles.
 */
export async function createDatabase(template = 'template0'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return { settings: databaseSettings(name), drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

export function databaseSettings(name: string): PostgresSettings {
  const { host, port, user, password } = inject('cluster');
  return { POSTGRES_HOST: host, POSTGRES_PORT: port, POSTGRES_DB: name, POSTGRES_USER: user, POSTGRES_PASSWORD: password };
}

/** Runs statements in the cluster's maintenance database. */
export async function administer(sql: string): Promise<void> {
  const client = new Client(clientOptions(databaseSettings('postgres'), 'atalaya-test'));
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
