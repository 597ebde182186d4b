import { test as base } from 'vitest';
import { call, loadtestKey, operatorKey, startApi, type ApiProcess } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import type { PostgresSettings } from '#lib/settings.ts';

export type RunningApi = ApiProcess & { readonly postgres: PostgresSettings };

export type Start = (env?: Readonly<Record<string, string>>) => Promise<RunningApi>;

/**
 * `test` with `start`, which starts the API on a database of the test's own with further variables and waits until it
 * serves; when the test ends, so do the processes, and the database goes. And with `api`, one without a rate limit for all
 * tests of a file that leave it running and ask for nothing but what they made themselves.
 */
export const test = base.extend<{ start: Start; api: RunningApi }>({
  start: ({}, use) => withDatabase(use),
  api: [({}, use) => withDatabase(async (start) => use(await start({ RATE_LIMIT_ENABLED: 'false' }))), { scope: 'file' }],
});

async function withDatabase(use: (start: Start) => Promise<void>): Promise<void> {
  const started: ApiProcess[] = [];
  const database = await createMigratedDatabase();
  await use(async (env) => {
    const api = await startApi(database.settings, env);
    started.push(api);
    await api.ready();
    return { ...api, postgres: database.settings };
  });
  for (const { child, exited } of started) {
    child.kill('SIGKILL');
    await exited;
  }
  await database.drop();
}

export const asOperator = { 'x-api-key': operatorKey };
export const asLoadtest = { 'x-api-key': loadtestKey };

/** A product of that stock. @returns its id */
export async function makeProduct(api: ApiProcess, stock: number): Promise<number> {
  const name = `thing ${Math.random()}`;
  const { status, body } = await call(`${api.url}/products`, { headers: asOperator, body: { name, price: 19.99, stock } });
  if (status !== 201) throw new Error(`no product was made: ${JSON.stringify(body)}`);
  return body['id_key'] as number;
}

export type Customer = { readonly id: number; readonly headers: Readonly<Record<string, string>> };

let customers = 0;

/** A customer with a quota of its own, as load tests make them. */
export async function makeCustomer(api: ApiProcess): Promise<Customer> {
  customers += 1;
  const email = `c${customers}.${process.pid}.${Date.now()}@example.com`;
  const { status, body } = await call(`${api.url}/clients`, { headers: asLoadtest, body: { name: 'A', lastname: 'B', email } });
  if (status !== 201) throw new Error(`no customer was made: ${JSON.stringify(body)}`);
  return { id: body['id_key'] as number, headers: { authorization: `Bearer ${String(body['access_token'])}` } };
}

export const orderOf = (customer: Customer, productId: number, quantity = 1) => ({
  client_id: customer.id,
  delivery_method: 1,
  lines: [{ product_id: productId, quantity }],
});
