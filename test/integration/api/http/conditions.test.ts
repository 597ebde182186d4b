import { describe, expect } from 'vitest';
import { call, type Answer } from '#test/support/api-process.ts';
import { asOperator, makeProduct, test } from '../processes/running-api.ts';

const told = ({ status, body }: Answer): unknown[] => [status, body['code'] ?? body['version']];

describe('an entity tag', () => {
  test('still guards a change after a proxy has made it weak, and in a list of tags', async ({ api }) => {
    const id = await makeProduct(api, 5);
    const url = `${api.url}/products/${id}`;
    const put = (ifMatch: string) => call(url, { method: 'PUT', headers: { ...asOperator, 'if-match': ifMatch }, body: { stock: 5 } });
    const tag = (await call(url)).headers.get('etag') ?? '';
    const weak = await put(`W/${tag}`);
    expect(weak.status).toBe(200);
    const second = weak.headers.get('etag') ?? '';
    const listed = await put(`"somebody-elses", W/${second}`);
    expect(listed.status).toBe(200);

    for (const stale of [tag, `W/${second}`, `${tag}, ${second}`, '"nonsense"', 'W/"nonsense"', '3']) {
      const refused = await put(stale);
      expect([stale, refused.status, refused.body['code']]).toEqual([stale, 412, 'version_mismatch']);
    }
    const unchanged = await call(url, { headers: { 'if-none-match': `W/${listed.headers.get('etag') ?? ''}` } });
    expect(unchanged.status).toBe(304);
  });

  test('is demanded of every change and deletion where the operator says so', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false', IF_MATCH_REQUIRED: 'true' });
    const url = `${api.url}/products/${await makeProduct(api, 5)}`;
    for (const [method, body] of [
      ['PUT', { stock: 6 }],
      ['PATCH', { stock: 6 }],
      ['DELETE', undefined],
    ] as const) {
      const refused = await call(url, { method, headers: asOperator, body });
      expect([method, refused.status, refused.body['code']]).toEqual([method, 428, 'precondition_required']);
    }
    const tag = (await call(url)).headers.get('etag') ?? '';
    const changed = await call(url, { method: 'PATCH', headers: { ...asOperator, 'if-match': tag }, body: { stock: 6 } });
    expect([changed.status, changed.body['stock'], changed.body['version']]).toEqual([200, 6, 2]);
    expect((await call(url, { method: 'DELETE', headers: { ...asOperator, 'if-match': '*' } })).status).toBe(204);
  });

  test('stands in the body as `version` too, as forms send it back', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false', IF_MATCH_REQUIRED: 'true' });
    const url = `${api.url}/products/${await makeProduct(api, 5)}`;
    const change = (method: string, body: object, headers = {}) => call(url, { method, headers: { ...asOperator, ...headers }, body });
    const tag = (await call(url)).headers.get('etag') ?? '';

    expect(told(await change('PUT', { stock: 6, version: 1 }))).toEqual([200, 2]);
    expect(told(await change('PATCH', { stock: 7, version: '2' }))).toEqual([200, 3]);
    expect(told(await change('PUT', { stock: 8, version: 2 }))).toEqual([412, 'version_mismatch']);
    expect(told(await change('PUT', { stock: 8, version: 3 }, { 'if-match': tag }))).toEqual([412, 'version_mismatch']);
    expect(told(await change('PUT', { stock: 8, version: 3 }, { 'if-match': `${tag}, "3"` }))).toEqual([200, 4]);
    expect(told(await change('PUT', { stock: 9, version: 3 }, { 'if-match': '*' }))).toEqual([412, 'version_mismatch']);
    for (const version of [0, -1, 1.5, 'one', null, [4]]) {
      const refused = await change('PUT', { stock: 9, version });
      expect([version, refused.status, refused.body['errors']]).toEqual([
        version,
        422,
        [{ pointer: '/version', message: 'must be a whole number from 1' }],
      ]);
    }
    expect((await call(`${api.url}/products`, { headers: asOperator, body: { name: 'Lamp', price: 1, version: 1 } })).status).toBe(422);
  });

  test('of a list is weak, spares who has it the list, and guards no change', async ({ api }) => {
    const id = await makeProduct(api, 5);
    const list = (headers: Record<string, string> = {}) => call(`${api.url}/products?limit=10`, { headers });
    const tag = (await list()).headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\//);
    for (const known of [tag, tag.slice(2), `"another", ${tag}`, '*']) {
      const unchanged = await list({ 'if-none-match': known });
      expect([known, unchanged.status, unchanged.headers.get('etag'), unchanged.body['text']]).toEqual([known, 304, tag, '']);
    }
    const change = (ifMatch: string) =>
      call(`${api.url}/products/${id}`, { method: 'PUT', headers: { ...asOperator, 'if-match': ifMatch }, body: { stock: 6 } });
    expect((await change(tag)).status).toBe(412);
    expect((await change('*')).status).toBe(200);
    const changed = await list({ 'if-none-match': tag });
    expect([changed.status, changed.headers.get('etag') === tag]).toEqual([200, false]);
  });

  test('guards no request that makes something, which has no tag yet', async ({ api }) => {
    const make = (ifMatch: string) =>
      call(`${api.url}/categories`, { headers: { ...asOperator, 'if-match': ifMatch }, body: { name: 'Lamps' } });
    const refused = await make('"1-0123abcd"');
    expect([refused.status, refused.body['code']]).toEqual([412, 'version_mismatch']);
    expect((await make('*')).status).toBe(201);
  });

  test('names more than the version, so that another release of the API never passes for unchanged', async ({ api }) => {
    const id = await makeProduct(api, 5);
    expect((await call(`${api.url}/products/${id}`, { headers: { 'if-none-match': '"1"' } })).status).toBe(200);
  });
});
