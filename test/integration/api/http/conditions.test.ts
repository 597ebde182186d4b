import { describe, expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asOperator, makeProduct, test } from '../processes/running-api.ts';

describe('an entity tag', () => {
  test('still guards a change after a proxy has made it weak, and in a list of tags', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
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

  test('names more than the version, so that another release of the API never passes for unchanged', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    const id = await makeProduct(api, 5);
    expect((await call(`${api.url}/products/${id}`, { headers: { 'if-none-match': '"1"' } })).status).toBe(200);
  });
});
