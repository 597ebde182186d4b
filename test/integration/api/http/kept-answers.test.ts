import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call } from '#test/support/api-process.ts';
import { asOperator, test, type RunningApi } from '../processes/running-api.ts';

const ada = { email: 'ada@example.com', lastname: 'Lovelace', name: 'Ada', password: 'one of the usual', telephone: '+34600111222' };

/** The table of stored answers, as a thief of a dump has it. */
async function storedAnswers({ postgres }: RunningApi): Promise<Record<string, unknown>[]> {
  const client = new Client(clientOptions(postgres, 'atalaya-test'));
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>('SELECT * FROM idempotency_keys')).rows;
  } finally {
    await client.end();
  }
}

const register = (api: RunningApi, key: string, headers: Record<string, string> = {}) =>
  call(`${api.url}/clients`, { headers: { 'idempotency-key': key, ...headers }, body: ada });

describe('what is kept of a registration under its key', { timeout: 60_000 }, () => {
  test('does not let a password be guessed at', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    expect((await register(api, 'k')).status).toBe(201);
    const [row] = await storedAnswers(api);
    const { password: _password, ...rest } = ada;
    const digests = [ada, rest].map((body) =>
      createHash('sha256')
        .update(`POST /clients\n${JSON.stringify(body)}`)
        .digest('hex'),
    );
    expect(digests).not.toContain(row?.['fingerprint']);
    expect(JSON.stringify(row)).not.toContain(ada.password);
  });

  test('goes with the client, and a repetition neither shows nor makes it again', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    const made = await register(api, 'k');
    const byOperator = await call(`${api.url}/clients`, {
      headers: { ...asOperator, 'idempotency-key': 'o' },
      body: { ...ada, email: 'Bob@example.com' },
    });
    const login = await call(`${api.url}/clients/login`, { body: { email: ada.email, password: ada.password } });
    const token = { authorization: `Bearer ${String(login.body['access_token'])}` };
    const id = made.body['id_key'] as number;
    const order = await call(`${api.url}/orders`, {
      headers: { ...token, 'idempotency-key': 'order' },
      body: { client_id: id, delivery_method: 1 },
    });
    expect([made.status, byOperator.status, login.status, order.status]).toEqual([201, 201, 200, 201]);
    expect((await register(api, 'k')).body).toEqual(made.body);

    expect((await call(`${api.url}/clients/${id}`, { method: 'DELETE', headers: token })).status).toBe(204);
    const operators = `${api.url}/clients/${String(byOperator.body['id_key'])}`;
    expect((await call(operators, { method: 'DELETE', headers: asOperator })).status).toBe(204);
    expect(JSON.stringify(await storedAnswers(api))).not.toMatch(/ada|bob|lovelace|34600/i);
    const again = await register(api, 'k');
    expect([again.status, again.body['code']]).toEqual([410, 'gone']);
    expect(JSON.stringify(again.body)).not.toMatch(/ada|lovelace|34600/i);
    expect((await call(`${api.url}/clients`, { headers: asOperator })).body).toEqual([]);
    expect((await register(api, 'another')).status).toBe(201);
  });

  test('belongs to the address that sent it, where nobody proved who they are', async ({ start }) => {
    const api = await start({ RATE_LIMIT_ENABLED: 'false', TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string) => register(api, '1', { 'x-forwarded-for': address });
    const first = await from('192.0.2.1');
    expect([first.status, (await from('192.0.2.1')).headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    // Another with the same key and the same words is another, and learns nothing of the first.
    const other = await from('198.51.100.7');
    expect([other.status, other.body['code']]).toEqual([409, 'duplicate']);
    expect(JSON.stringify(await storedAnswers(api))).not.toContain('192.0.2.1');
  });
});
