import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { users } from '#loadtest/plans/users.ts';

type Asked = { readonly method: string; readonly url: string; readonly endpoint: string; readonly body: unknown; readonly key: unknown };
type Script = { setup: () => { clients: unknown[] }; next: (shop: unknown) => void; teardown: (shop: unknown) => void };
type Exec = { readonly scenario: { name: string } };
type Options = { readonly headers: Readonly<Record<string, string>>; readonly tags?: { readonly endpoint: string } };

/** The script of the shop in a world that has the words of k6 and a shop that always answers rightly. */
function play(plan: object): { readonly script: Script; readonly asked: Asked[]; readonly slept: number[]; readonly exec: Exec } {
  const asked: Asked[] = [];
  const slept: number[] = [];
  const exec = { vu: { idInTest: 1 }, scenario: { name: 'warmUp' } };
  let ids = 0;
  const answerTo = (method: string, url: string): { status: number; body: unknown } => {
    if (method === 'POST') return { status: 201, body: { id_key: (ids += 1), access_token: `token-${ids}` } };
    if (/\/(products|categories)\?/.test(url))
      return { status: 200, body: [1, 2, 3].map((id) => ({ id_key: id, name: 'Green lamp', stock: 9 })) };
    return { status: method === 'DELETE' ? 204 : 200, body: {} };
  };
  const request = (method: string, url: string, body: string | null, { headers, tags }: Options) => {
    asked.push({ method, url, endpoint: tags?.endpoint ?? '', body: body && JSON.parse(body), key: headers['idempotency-key'] });
    const answer = answerTo(method, url);
    return { status: answer.status, json: (name?: string) => (name ? (answer.body as Record<string, unknown>)[name] : answer.body) };
  };
  const http = {
    request,
    get: (url: string) => request('GET', url, null, { headers: {} }),
    post: (url: string, body: string, options: Options) => request('POST', url, body, options),
    del: (url: string, body: null, options: Options) => request('DELETE', url, body, options),
    expectedStatuses: () => ({}),
  };
  const text = (users.scenario.k6?.().script ?? '').replaceAll(/^import .*$/gm, '').replaceAll(/^export (default )?/gm, '');
  const world = {
    plan,
    http,
    exec,
    sleep: (seconds: number) => slept.push(seconds),
    Rate: class {
      add(): void {}
    },
    __ENV: { LOADTEST_KEY: 'a-key-of-a-load-test' },
  };
  return { script: runInNewContext(`${text}; ({ setup, next, teardown })`, world) as Script, asked, slept, exec };
}

const plan = {
  target: 'http://shop.test',
  users: 2,
  thinkMs: [1_000, 3_000],
  timeoutMs: 15_000,
  weights: { browse: 6, buy: 3, lookBack: 1 },
};

test('the script for k6 asks for everything that users of the plan ask for, one request an iteration, with pauses as long', () => {
  const { script, asked, slept } = play(plan);
  const shop = script.setup();
  expect(shop.clients).toHaveLength(2);
  asked.length = 0;
  for (let iteration = 0; iteration < 3_000; iteration += 1) script.next(shop);

  expect(asked).toHaveLength(3_000);
  expect([...new Set(asked.map(({ endpoint }) => endpoint))].toSorted()).toEqual([...(users.scenario.k6?.().endpoints ?? [])].toSorted());
  expect(slept).toHaveLength(3_001);
  expect(slept.slice(1).every((seconds) => seconds >= 1 && seconds <= 3)).toBe(true);
});

test('an order of the script for k6 is for its own account, has a key of its own, and is repeated under the same with the same body', () => {
  const { script, asked, exec } = play({ ...plan, thinkMs: [0, 0] });
  const shop = script.setup();
  for (let iteration = 0; iteration < 3_000; iteration += 1) {
    // What the warm-up cut off begins anew.
    if (iteration === 500) exec.scenario.name = 'measured';
    script.next(shop);
  }
  const orders = asked.filter(({ endpoint }) => endpoint === 'POST /orders');
  expect(new Set(orders.map(({ key }) => key)).size).toBe(orders.length);
  for (const { body } of orders)
    expect(body).toMatchObject({ client_id: 1, lines: expect.arrayContaining([expect.anything()]) as unknown });
  const again = asked.filter(({ endpoint }) => endpoint === 'POST /orders (again)');
  expect(again.length).toBeGreaterThan(0);
  for (const { key, body } of again) expect(orders.find((order) => order.key === key)?.body).toEqual(body);
});

test('the script for k6 deletes the accounts that it made', () => {
  const { script, asked } = play(plan);
  const shop = script.setup();
  script.teardown(shop);
  expect(asked.filter(({ method }) => method === 'DELETE').map(({ url }) => url)).toEqual([
    'http://shop.test/api/v1/clients/1',
    'http://shop.test/api/v1/clients/2',
  ]);
});
