import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateUp } from '#api/db/migrate.ts';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { freePort } from './free-port.ts';

/** A PostgreSQL with the schema of the API, which nobody else uses. `stop` leaves nothing of it. */
export type OwnPostgres = { readonly settings: PostgresSettings; readonly stop: () => Promise<void> };

/** For a campaign, which runs outside the tests and their cluster. @param name begins that of its folder */
export async function startOwnPostgres(name: string): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), `atalaya-${name}-`));
  const login = { port: await freePort(), user: 'atalaya', password: 'own-password' };
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), ...login, settings: { synchronous_commit: 'off' } });
  const settings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: login.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: login.user,
    POSTGRES_PASSWORD: login.password,
  };
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await migrateUp(settings);
    return { settings, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}
