import { Client } from 'pg';
import { AppError } from '#lib/errors.ts';
import { clientOptions, explainConnectionError } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { makeDemoData, type DemoData } from './demo-data.ts';
import { insertDemoData } from './insert-demo-data.ts';

/** The data generator is a development dependency; production installs do not have it. */
export class DemoDataError extends AppError {
  readonly code = 'DEMO_DATA_UNAVAILABLE';
}

/** Password of every demo client. */
export const demoPassword = 'atalaya-demo-2026';
/** Hashed once and for all: the demo shop is to be the same everywhere, and its password is no secret. */
export const demoPasswordHash = '$scrypt$ln=14,r=8,p=5$cJ2o99mUVSG2q5oBheBojA$rJFZ2++zdHl6+IT3exgTrkXQ3Tz7S7CkN4I2ln8LDHM';

export type SeedResult =
  | { readonly seeded: false }
  | { readonly seeded: true; readonly products: number; readonly clients: number; readonly orders: number };

const seedLock = 7_283_164_003;

/**
 * Fills a migrated database with the demo shop, always the same, unless it holds a client, category or product already.
 * @throws {DemoDataError} when the generator is not installed
 */
export async function seedDemo(settings: PostgresSettings): Promise<SeedResult> {
  const client = new Client({ ...clientOptions(settings, 'atalaya-migrate'), options: '-c TimeZone=UTC' });
  client.on('error', () => {});
  try {
    await client.connect();
    if (!(await isEmpty(client))) return { seeded: false };
    return await seedOnce(client, await generate());
  } catch (err) {
    throw explainConnectionError(err, settings);
  } finally {
    await client.end().catch(() => {});
  }
}

async function seedOnce(client: Client, data: DemoData): Promise<SeedResult> {
  await client.query('BEGIN');
  // Another seeder that came first is waited for, and then the database is no longer empty.
  await client.query('SELECT pg_advisory_xact_lock($1)', [seedLock]);
  if (!(await isEmpty(client))) return { seeded: false };
  await insertDemoData(client, data, demoPasswordHash);
  await client.query('COMMIT');
  await client.query('ANALYZE');
  return { seeded: true, products: data.products.length, clients: data.clients.length, orders: data.orders.length };
}

async function isEmpty(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ empty: boolean }>(
    'SELECT NOT (EXISTS (SELECT FROM clients) OR EXISTS (SELECT FROM categories) OR EXISTS (SELECT FROM products)) AS empty',
  );
  return rows[0]?.empty ?? false;
}

async function generate(): Promise<DemoData> {
  try {
    const { faker } = await import('@faker-js/faker/locale/en');
    faker.seed(2026);
    return makeDemoData(faker);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw err;
    throw new DemoDataError('demo data needs the development dependencies: run npm ci without --omit=dev', { cause: err });
  }
}
