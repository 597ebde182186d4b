import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { call, loadtestKey, operatorKey } from '#test/support/api-process.ts';
import type { CauseIn } from './judge.ts';
import type { Stack } from './stack.ts';
import { testBlind, type Injection } from './test-blind.ts';

const post = (url: string, body: object, key = operatorKey) =>
  call(url, { method: 'POST', headers: { 'x-api-key': key }, body }).catch(() => {});
/** Without a password, as only a load test may be: to hash them takes the core by which the pool should be used up. */
const person = () => ({ name: 'Ana', lastname: 'Vega', email: `${unique()}@shop.example` });
/** As fast as they are refused, clients would take the cores from the monitor. */
const pause = (): Promise<void> => sleep(20);
const unique = (): string => Math.random().toString(36).slice(2);

/** Every statement on the table does what the trigger says, until the test is over. */
async function trigger(stack: Stack, table: string, body: string): Promise<void> {
  const client = await stack.connect('atalaya-test');
  await client.query(`CREATE FUNCTION hurt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN new; END $$`);
  await client.query(`CREATE TRIGGER hurt BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION hurt()`);
  onTestFinished(async () => {
    await client.query('DROP FUNCTION hurt CASCADE');
    await client.end();
  });
}

const injections: Readonly<Record<CauseIn<'database'>, Injection>> = {
  'PostgreSQL stopped': { inject: (_around, stack) => stack.stopPostgres() },
  'pool used up by a held lock': {
    inject: async (_around, stack) => {
      const holder = await stack.connect('report-by-hand');
      onTestFinished(() => holder.end());
      await holder.query('BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
      for (let n = 0; n < 8; n += 1) void call(`${stack.api().url}/api/v1/products/${n + 1}`).catch(() => {});
    },
  },
  'transaction left open': {
    inject: async (_around, stack) => {
      const client = await stack.connect('forgotten-shell');
      onTestFinished(() => client.end());
      await client.query('BEGIN; SELECT 1 FROM products');
    },
  },
  'statement that is slow': {
    inject: async (_around, stack) => {
      const client = await stack.connect('report-by-hand');
      onTestFinished(() => client.end());
      // Else it would sleep on once its client is gone.
      await client.query("SET client_connection_check_interval = '100ms'");
      void client.query("SELECT pg_sleep(30), 'a-password-of-the-tests'").catch(() => {});
    },
  },
  'errors in the log': {
    inject: async (_around, stack) => {
      await trigger(stack, 'categories', "RAISE EXCEPTION 'the ledger is broken'");
      for (let n = 0; n < 8; n += 1) await post(`${stack.api().url}/api/v1/categories`, { name: unique() });
    },
  },
  'bad release': {
    isBehindWay: true,
    inject: async ({ api, admin }, stack) => {
      const database = `shop_${unique()}`;
      const released = await stack.release(database);
      onTestFinished(async () => void (await released.stop()));
      const client = await stack.connect('atalaya-test', database);
      await client.query('ALTER TABLE products RENAME TO goods');
      await client.end();
      admin.leadTo(released.adminUrl);
      api.leadTo(released.url);
    },
  },
  'load test': {
    inject: async (_around, stack) => {
      await trigger(stack, 'clients', 'PERFORM pg_sleep(1 + random())');
      const isOver = new AbortController();
      onTestFinished(() => isOver.abort());
      const client = async (): Promise<void> => {
        while (!isOver.signal.aborted) {
          await post(`${stack.api().url}/api/v1/clients`, person(), loadtestKey);
          await pause();
        }
      };
      const reader = async (): Promise<void> => {
        const headers = { 'x-api-key': loadtestKey };
        while (!isOver.signal.aborted) {
          await call(`${stack.api().url}/api/v1/products?limit=none`, { headers }).catch(() => {});
          await pause();
        }
      };
      for (let n = 0; n < 16; n += 1) void client();
      for (let n = 0; n < 4; n += 1) void reader();
    },
  },
};

testBlind(injections, 'en');
