import { describe, expect } from 'vitest';
import { call, eventually } from '#test/support/api-process.ts';
import { processesWith } from '#test/support/processes.ts';
import { makeProduct, test } from './running-api.ts';
import { asAdmin, isGone, untilTold, workersOf } from './worker-processes.ts';

describe('processes', () => {
  test('a worker that dies is replaced, the others serve on', async ({ start }) => {
    const api = await start();
    const [first, second] = workersOf(api) as [number, number];
    process.kill(first, 'SIGKILL');
    expect(
      (
        await eventually(
          () => call(`${api.url}/livez`, { headers: { connection: 'close' } }),
          ({ status }) => status === 200,
        )
      ).status,
    ).toBe(200);
    await eventually(
      () => call(`${api.adminUrl}/metrics`, { headers: asAdmin }),
      ({ body }) =>
        /^atalaya_workers_ready 2$/m.test(String(body['text'])) && /^atalaya_worker_restarts_total 1$/m.test(String(body['text'])),
    );
    await untilTold(api, 2);
    expect(workersOf(api)).toContain(second);
  });

  test('of a killed primary leave no worker and no port', async ({ start }) => {
    const api = await start();
    const workers = workersOf(api);
    expect(workers).toHaveLength(2);
    api.child.kill('SIGKILL');
    await api.exited;
    await isGone(workers);
    await expect(call(`${api.url}/livez`)).rejects.toThrow('fetch failed');
    expect(processesWith(`API_PORT=${new URL(api.url).port}`)).toEqual([]);
  });

  test('are measured, each and together, and show their settings without secrets', async ({ start }) => {
    const api = await start();
    const id = await makeProduct(api, 1);
    for (let index = 0; index < 9; index += 1) await call(`${api.url}/products/${id}`, { headers: { connection: 'close' } });
    const { body } = await call(`${api.adminUrl}/metrics`, { headers: asAdmin });
    const counts = [...String(body['text']).matchAll(/^atalaya_http_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].filter(
      ([, labels]) => labels?.includes('route="/products/:id"'),
    );
    const summed = counts.filter(([, labels]) => !labels?.includes('worker='));
    const single = counts.filter(([, labels]) => labels?.includes('worker='));
    expect(summed.map(([, , count]) => Number(count))).toEqual([9]);
    expect(single.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(9);
    expect(String(body['text'])).toMatch(/^atalaya_pool_max 20$/m);

    const asked = await call(`${api.adminUrl}/metrics?name[]=atalaya_pool_max&name[]=no_such_metric`, { headers: asAdmin });
    const told = String(asked.body['text']).split('\n');
    expect(told.filter((line) => /^atalaya_(?!worker)/.test(line)).toSorted()).toEqual([
      'atalaya_pool_max 20',
      'atalaya_pool_max{worker="1"} 10',
      'atalaya_pool_max{worker="2"} 10',
    ]);

    const config = await call(`${api.adminUrl}/config`, { headers: asAdmin });
    expect(config.body).toMatchObject({
      workers: 2,
      pool: { per_worker_max: 10, total_max: 20, configured_per_worker_max: 10, scaled_down: null },
      server_max_connections: 300,
      API_WORKERS: 2,
      AUTH_TOKEN_SECRET: '(hidden)',
    });
    expect(JSON.stringify(config.body)).not.toMatch(/test-operator-key|a secret of the tests/);
    expect((await call(`${api.adminUrl}/livez`)).status).toBe(200);
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      expect((await call(`${api.adminUrl}/metrics`, { headers })).status).toBe(401);
      expect((await call(`${api.adminUrl}/drain`, { method: 'POST', headers })).status).toBe(401);
    }
  });
});
