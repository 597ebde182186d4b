import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, expect } from 'vitest';
import { call, type Answer } from '#test/support/api-process.ts';
import { asLoadtest, asOperator, makeCustomer, makeProduct, orderOf, test, type RunningApi } from '../processes/running-api.ts';

const problem = (answer: Answer): [number, unknown] => [answer.status, answer.body['code']];
const pointers = (answer: Answer): string[] => (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);

/** Sends bytes as they are and reads what comes back until the server closes. */
async function raw(api: RunningApi, text: string): Promise<string> {
  const socket = createConnection(Number(new URL(api.url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return received;
}

describe('what cannot be accepted', () => {
  test('is a problem document that names the fault, and never a stack trace', async ({ api }) => {
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      call(`${api.url}/api/v1/orders`, { method: 'POST', headers: { ...asOperator, ...headers }, body });
    const productId = await makeProduct(api, 5);
    const customer = await makeCustomer(api);
    const answers: Answer[] = [];
    const note = (answer: Answer): Answer => {
      answers.push(answer);
      return answer;
    };

    const order = orderOf(customer, productId);
    expect(problem(note(await post('{"client_id": 1,')))).toEqual([400, 'malformed_json']);
    expect(problem(note(await post('')))).toEqual([400, 'malformed_json']);
    expect(problem(note(await post('['.repeat(21) + ']'.repeat(21))))).toEqual([400, 'malformed_json']);
    expect(problem(note(await post(`{"x":"${'x'.repeat(300_000)}"}`)))).toEqual([413, 'payload_too_large']);
    expect(problem(note(await post('a=1', { 'content-type': 'application/x-www-form-urlencoded' })))).toEqual([
      415,
      'unsupported_media_type',
    ]);
    expect(problem(note(await post(order, { 'content-type': 'application/json; charset=latin1' })))).toEqual([
      415,
      'unsupported_media_type',
    ]);
    expect(problem(note(await post(order, { 'content-encoding': 'gzip' })))).toEqual([415, 'unsupported_media_type']);
    expect(problem(note(await post(order, { 'idempotency-key': 'with space' })))).toEqual([400, 'idempotency_key_invalid']);

    const unknownField = note(await post({ ...order, colour: 'red' }));
    expect([...problem(unknownField), pointers(unknownField)]).toEqual([422, 'validation_failed', ['/colour']]);
    const negative = note(await post(orderOf(customer, productId, -1)));
    expect([...problem(negative), pointers(negative)]).toEqual([422, 'validation_failed', ['/lines/0/quantity']]);
    const wrongType = note(await post({ ...order, client_id: 'x' }));
    expect([...problem(wrongType), pointers(wrongType)]).toEqual([422, 'validation_failed', ['/client_id']]);
    const nul = note(await call(`${api.url}/categories`, { headers: asOperator, body: { name: 'a\u0000b' } }));
    expect([nul.status, pointers(nul)]).toEqual([422, ['/name']]);

    const query = note(await call(`${api.url}/products?limit=0`));
    expect([...problem(query), pointers(query)]).toEqual([422, 'validation_failed', ['limit']]);
    expect(pointers(note(await call(`${api.url}/products?debug=1`)))).toEqual(['debug']);
    expect(pointers(note(await call(`${api.url}/products?limit=1&limit=2`)))).toEqual(['limit']);
    expect(note(await call(`${api.url}/products/%00`)).status).toBe(422);
    expect(note(await call(`${api.url}/products/%zz`)).status).toBe(422);
    expect(note(await call(`${api.url}/products/${'9'.repeat(30)}`)).status).toBe(422);
    expect(problem(note(await call(`${api.url}/products/999999`)))).toEqual([404, 'not_found']);
    expect(problem(note(await call(`${api.url}/nothing/here`)))).toEqual([404, 'not_found']);

    const wrongMethod = note(await call(`${api.url}/products`, { method: 'PATCH', body: {} }));
    expect(problem(wrongMethod)).toEqual([405, 'method_not_allowed']);
    expect(wrongMethod.headers.get('allow')).toMatch(/GET/);
    expect(problem(note(await call(`${api.url}/health_check`, { body: {} })))).toEqual([405, 'method_not_allowed']);

    for (const { headers, body, status } of answers) {
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(body).toMatchObject({ status, type: `/problems/${String(body['code'])}`, request_id: headers.get('x-request-id') });
      expect(JSON.stringify(body)).not.toMatch(/\bat .*:\d+:\d+|node_modules|SELECT|INSERT/);
    }
    expect(api.stdout()).not.toContain('"level":"error"');
    await call(`${api.url}/livez`).then(({ status }) => expect(status).toBe(200));
  });

  test('is refused by what it proves: nothing, something wrong, or too little', async ({ api }) => {
    const orders = (headers: Record<string, string>) => call(`${api.url}/orders`, { headers });
    const none = await orders({});
    expect(problem(none)).toEqual([401, 'unauthenticated']);
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    expect(problem(await orders({ authorization: 'Bearer nonsense' }))).toEqual([401, 'unauthenticated']);
    expect(problem(await orders({ authorization: 'Basic abc' }))).toEqual([401, 'unauthenticated']);
    expect(problem(await orders({ 'x-api-key': 'atk_unknown' }))).toEqual([401, 'unauthenticated']);
    expect(problem(await call(`${api.url}/products`, { headers: { authorization: 'Bearer nonsense' } }))).toEqual([401, 'unauthenticated']);
    expect(problem(await call(`${api.url}/categories`, { headers: asLoadtest, body: { name: 'x' } }))).toEqual([403, 'forbidden']);
    expect((await orders(asOperator)).status).toBe(200);
    expect(`${api.stdout()}${api.stderr()}`).not.toMatch(/test-operator-key|nonsense|atk_unknown/);
  });

  test('does not even have to be HTTP', async ({ start }) => {
    const api = await start();
    const nonsense = await raw(api, 'NONSENSE\r\n\r\n');
    expect(nonsense).toMatch(/^HTTP\/1\.1 400 .*\r\n/);
    expect(nonsense).toContain('"code":"malformed_request"');
    const headers = await raw(api, `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(headers).toMatch(/^HTTP\/1\.1 431 /);
    const lying = await raw(
      api,
      'POST /clients HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    );
    expect(lying).toMatch(/^HTTP\/1\.1 400 /);
    const expecting = await raw(api, 'GET /products HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: a-miracle\r\n\r\n');
    expect(expecting).toMatch(/^HTTP\/1\.1 417 /);
    for (const answer of [nonsense, headers, lying, expecting]) expect(answer).toContain('application/problem+json');
    // None of them goes unrecorded.
    expect(await api.stop()).toBe(0);
    const statuses = [...api.stdout().matchAll(/"msg":"request".*?"status":(\d+)/g)].map(([, status]) => Number(status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([400, 400, 417, 431]);
  });
});

describe('a refusal', () => {
  test('names so many faults and no more, each by so much and no more, however many there are', async ({ api }) => {
    const body = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field ${index}`, index]));
    const many = await call(`${api.url}/clients/login`, { body });
    const errors = many.body['errors'] as unknown[];
    expect([many.status, errors.length, many.body['errors_omitted']]).toEqual([422, 20, 10_002 - 20]);
    const long = await call(`${api.url}/clients/login`, { body: { ['x'.repeat(200_000)]: 1 } });
    expect(long.status).toBe(422);
    for (const { body: told } of [many, long]) expect(JSON.stringify(told).length).toBeLessThan(10_000);
    expect((await call(`${api.url}/clients/login`, { body: { email: 1 } })).body).not.toHaveProperty('errors_omitted');
  });

  test('calls what is missing missing', async ({ api }) => {
    const told = async (path: string, body: object) => (await call(`${api.url}${path}`, { headers: asOperator, body })).body['errors'];
    expect(await told('/clients/login', { email: 5 })).toEqual([
      { pointer: '/email', message: 'must be text' },
      { pointer: '/password', message: 'is required' },
    ]);
    expect(await told('/products', { name: 'x' })).toEqual([{ pointer: '/price', message: 'is required' }]);
    expect(await told('/orders', { lines: [{ quantity: 1 }] })).toEqual([
      { pointer: '/client_id', message: 'is required' },
      { pointer: '/delivery_method', message: 'is required' },
      { pointer: '/lines/0/product_id', message: 'is required' },
    ]);
  });

  test('of a method names those that the path takes, OPTIONS among them', async ({ api }) => {
    const login = await call(`${api.url}/clients/login`);
    expect([login.status, login.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    const product = await call(`${api.url}/products/1`, { method: 'POST', body: {} });
    expect([product.status, product.headers.get('allow')]).toEqual([405, 'HEAD, GET, PUT, PATCH, DELETE, OPTIONS']);
    const asked = await call(`${api.url}/clients/login`, { method: 'OPTIONS' });
    expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
    const health = await call(`${api.url}/livez`, { method: 'OPTIONS' });
    expect([health.status, health.headers.get('allow')]).toEqual([204, 'HEAD, GET, OPTIONS']);
  });
});

describe('every answer', () => {
  test('that is not for everyone is kept by no cache', async ({ api }) => {
    const customer = await makeCustomer(api);
    const cached = async (path: string, options: Parameters<typeof call>[1] = {}) =>
      (await call(`${api.url}${path}`, options)).headers.get('cache-control');
    for (const headers of [{ ...customer.headers }, asOperator]) {
      expect(await cached('/orders', { headers })).toBe('no-store');
      expect(await cached('/orders/999', { headers })).toBe('no-store');
      expect(await cached(`/clients/${customer.id}`, { headers })).toBe('no-store');
    }
    expect(await cached('/orders')).toBe('no-store');
    expect(await cached('/nothing')).toBe('no-store');
    expect(await cached('/clients/login', { body: { email: 'a', password: 'b' } })).toBe('no-store');
    expect(await cached('/products')).toBeNull();
  });

  test('is the same under all names of a path', async ({ api }) => {
    const id = await makeProduct(api, 5);
    const paths = [`/api/v1/products/${id}`, `/products/${id}`, `/products/id/${id}`, `/api/v1/products/id/${id}`];
    const all = await Promise.all(paths.flatMap((path) => [path, `${path}/`]).map((path) => call(`${api.url}${path}`)));
    for (const { status, body } of all) expect([status, body]).toEqual([200, all[0]?.body]);
    const lists = await Promise.all(
      ['/products', '/products/', '/api/v1/products/', '/api/v1/products'].map((path) => call(`${api.url}${path}`)),
    );
    expect(lists.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test('carries request id, time and limits, and Server-Timing only for those who measure', async ({ start }) => {
    const api = await start({ CORS_ORIGINS: 'https://shop.example' });
    const id = await makeProduct(api, 5);
    const own = await call(`${api.url}/products/${id}`, { headers: { 'x-request-id': 'my-id.1' } });
    expect(own.headers.get('x-request-id')).toBe('my-id.1');
    expect(own.headers.get('x-response-time')).toMatch(/^\d+\.\d\dms$/);
    expect(own.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60');
    expect(own.headers.get('server-timing')).toBeNull();
    expect((await call(`${api.url}/nope`, { headers: { 'x-request-id': 'bad id' } })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    );
    const timed = await call(`${api.url}/products/${id}`, { headers: asOperator });
    expect(timed.headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+, pool;dur=[\d.]+, db;dur=[\d.]+, app;dur=[\d.]+$/);

    const etag = own.headers.get('etag') ?? '';
    const unchanged = await call(`${api.url}/products/${id}`, { headers: { 'if-none-match': etag } });
    expect([unchanged.status, unchanged.body['text']]).toEqual([304, '']);
    const head = await call(`${api.url}/products/${id}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), head.body['text']]).toEqual([200, etag, '']);

    const preflight = { origin: 'https://shop.example', 'access-control-request-method': 'POST' };
    const allowed = await fetch(`${api.url}/orders`, { method: 'OPTIONS', headers: preflight });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'https://shop.example']);
    const foreign = await fetch(`${api.url}/orders`, { method: 'OPTIONS', headers: { ...preflight, origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    const refused = await call(`${api.url}/nope`, { headers: { origin: 'https://shop.example' } });
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  });
});
