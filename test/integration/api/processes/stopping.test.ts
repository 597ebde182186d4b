import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { call, eventually, type ApiProcess } from '#test/support/api-process.ts';
import { makeCustomer, makeProduct, orderOf, test, type RunningApi } from './running-api.ts';
import { asAdmin, isGone, workersOf } from './worker-processes.ts';

/** Locks a product, so that an order for it is accepted and then waits. */
async function lockProduct(postgres: PostgresSettings, id: number): Promise<() => Promise<void>> {
  const client = new Client(clientOptions(postgres, 'atalaya-test'));
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM products WHERE id_key = $1 FOR UPDATE', [id]);
  return async () => {
    await client.query('COMMIT');
    await client.end();
  };
}

/** A request over a kept-alive connection of its own agent. */
async function over(agent: Agent, url: string, options: { method?: string; headers?: Record<string, string>; body?: unknown } = {}) {
  const req = request(url, { agent, method: options.method ?? 'GET', headers: { ...options.headers, 'content-type': 'application/json' } });
  req.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of res.setEncoding('utf8')) text += chunk as string;
  return { status: res.statusCode, connection: res.headers.connection, body: JSON.parse(text) as Record<string, unknown> };
}

const keptAlive = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

async function untilWaiting(api: RunningApi): Promise<void> {
  const client = new Client(clientOptions(api.postgres, 'atalaya-test'));
  await client.connect();
  const waits = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  for (const endsAt = Date.now() + 10_000; Date.now() < endsAt; await sleep(20)) {
    const { rows } = await client.query<{ n: number }>(waits);
    if ((rows[0]?.n ?? 0) > 0) break;
  }
  await client.end();
}

async function tellToStop(api: ApiProcess, by: string): Promise<void> {
  if (by === 'POST /drain') await call(`${api.adminUrl}/drain`, { method: 'POST', headers: asAdmin });
  else api.child.kill(by as NodeJS.Signals);
}

describe('stopping', () => {
  test.for(['SIGTERM', 'SIGINT', 'POST /drain'])(
    'by %s finishes what was accepted and refuses what was not begun',
    async (by, { start }) => {
      const api = await start({ API_WORKERS: '1' });
      const productId = await makeProduct(api, 5);
      const customer = await makeCustomer(api);
      const [busy, idle] = [keptAlive(), keptAlive()];
      expect(await over(idle, `${api.url}/readyz`)).toMatchObject({ status: 200, connection: 'keep-alive' });
      const unlock = await lockProduct(api.postgres, productId);
      const order = over(busy, `${api.url}/orders`, {
        method: 'POST',
        headers: { ...customer.headers },
        body: orderOf(customer, productId),
      });
      await untilWaiting(api);

      await tellToStop(api, by);
      await eventually(
        () => call(`${api.url}/readyz`, { headers: { connection: 'close' } }),
        ({ status }) => status === 503,
      );
      const refused = await over(idle, `${api.url}/orders`, {
        method: 'POST',
        headers: { ...customer.headers },
        body: orderOf(customer, productId),
      });
      expect(refused).toMatchObject({ status: 503, connection: 'close', body: { code: 'draining' } });
      expect((await call(`${api.url}/livez`)).status).toBe(200);

      // Longer than the listener stays open when nothing is left to answer.
      await sleep(500);
      expect((await call(`${api.url}/readyz`, { headers: { connection: 'close' } })).status).toBe(503);
      const workers = workersOf(api);
      await unlock();
      expect(await order).toMatchObject({ status: 201, connection: 'close' });
      expect(await api.exited).toBe(0);
      await isGone(workers);
      const client = new Client(clientOptions(api.postgres, 'atalaya-test'));
      await client.connect();
      expect((await client.query('SELECT 1 FROM orders')).rowCount, 'the accepted order once, the refused one not').toBe(1);
      await client.end();
    },
  );

  test('cuts off after DRAIN_TIMEOUT what does not end, and says so', async ({ start }) => {
    const api = await start({ API_WORKERS: '1', DRAIN_TIMEOUT: '1' });
    const productId = await makeProduct(api, 5);
    const customer = await makeCustomer(api);
    const unlock = await lockProduct(api.postgres, productId);
    const order = over(keptAlive(), `${api.url}/orders`, {
      method: 'POST',
      headers: { ...customer.headers },
      body: orderOf(customer, productId),
    });
    const outcome = order.catch((err: Error) => err);
    await untilWaiting(api);
    expect(await api.stop()).toBe(1);
    expect(await outcome).toBeInstanceOf(Error);
    expect(api.stdout()).toContain('requests were cut off');
    await unlock();
  });

  test('loses nothing under load', { timeout: 60_000 }, async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    const productId = await makeProduct(api, 10_000);
    const customers = await Promise.all(Array.from({ length: 20 }, () => makeCustomer(api)));
    const seen: (number | undefined)[] = [];
    let isStopping = false;
    const buyers = customers.map(async (customer) => {
      const agent = keptAlive();
      for (;;) {
        const answer = await over(agent, `${api.url}/orders`, {
          method: 'POST',
          headers: { ...customer.headers },
          body: orderOf(customer, productId),
        }).catch((err: unknown) => err);
        // Once it has begun to stop, connections may be refused; before, and on open ones, everything is answered.
        if (answer instanceof Error && isStopping) return;
        if (answer instanceof Error) throw answer;
        seen.push((answer as { status?: number }).status);
        if ((answer as { status?: number }).status === 503) return;
      }
    });
    await sleep(500);
    isStopping = true;
    expect(await api.stop()).toBe(0);
    await Promise.all(buyers);
    const client = new Client(clientOptions(api.postgres, 'atalaya-test'));
    await client.connect();
    expect((await client.query('SELECT 1 FROM orders')).rowCount).toBe(seen.filter((status) => status === 201).length);
    expect(seen.filter((status) => status !== 201 && status !== 503)).toEqual([]);
    await client.end();
  });
});
