import { expect, test } from 'vitest';
import { cancelOrders, type ShopClient, type Undone } from '#loadtest/scenarios/shop/clients.ts';
import type { HttpClient, HttpRequest } from '#loadtest/targets/http-client.ts';

const buyers = (count: number): ShopClient[] =>
  Array.from({ length: count }, (_, i) => ({ clientId: i + 1, accessToken: `token-${i + 1}` }));

/** A shop that answers as told, and what it was asked to cancel. */
async function cancelIn(answer: (request: HttpRequest) => number | object, clients = buyers(1)): Promise<Undone & { asked: string[] }> {
  const asked: string[] = [];
  const http: HttpClient = {
    origin: 'http://127.0.0.1:1',
    close: async () => {},
    send: async (request) => {
      if (request.method === 'POST')
        asked.push(`${request.path} ${request.headers?.['authorization']} ${request.headers?.['idempotency-key']}`);
      const answered = answer(request);
      return { status: typeof answered === 'number' ? answered : 200, json: answered, text: '', requestId: undefined };
    },
  };
  return { ...(await cancelOrders(http, clients, 'lt-1')), asked };
}

const order = (id: number, status = 1) => ({ id_key: id, status });
const listOf =
  (...orders: readonly object[]) =>
  ({ method }: HttpRequest) =>
    method === 'GET' ? orders : {};

const showingNothingToOne = ({ method, headers }: HttpRequest) =>
  headers?.['authorization'] === 'Bearer token-1' ? 401 : method === 'GET' ? [order(7)] : {};

test('orders are canceled in their buyers’ names, each once; one that is canceled already is left alone', async () => {
  expect(await cancelIn(listOf(order(7), order(8, 4)))).toEqual({
    canceled: 1,
    isWhole: true,
    asked: ['/api/v1/orders/7/cancel Bearer token-1 lt-1-cancel-7'],
  });
});

test('more orders than stand on one page are all canceled', async () => {
  const all = Array.from({ length: 1_001 }, (_, i) => order(i + 1));
  const shop = ({ method, path }: HttpRequest) => (method === 'GET' ? all.slice(Number(/skip=(\d+)/.exec(path)?.[1])).slice(0, 1_000) : {});
  expect(await cancelIn(shop)).toMatchObject({ canceled: 1_001, isWhole: true });
});

test.each([
  ['one is being worked on', listOf(order(7, 2), order(8))],
  ['one is refused', ({ method, path }: HttpRequest) => (method === 'GET' ? [order(7), order(8)] : path.includes('/7/') ? 409 : {})],
])('that some were not canceled is told: %s', async (_why, shop) => {
  expect(await cancelIn(shop)).toMatchObject({ canceled: 1, isWhole: false });
});

test('a buyer whose orders are not shown does not keep those of others', async () => {
  expect(await cancelIn(showingNothingToOne, buyers(2))).toMatchObject({ canceled: 1, isWhole: false });
});

test('a shop that is gone is asked no more', async () => {
  let asked = 0;
  const gone = (): never => {
    asked += 1;
    throw new Error('gone');
  };
  expect(await cancelIn(gone, buyers(400))).toMatchObject({ canceled: 0, isWhole: false });
  expect(asked).toBeLessThanOrEqual(16);
});
