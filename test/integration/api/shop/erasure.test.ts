import { Redis } from 'ioredis';
import { Client } from 'pg';
import { expect, onTestFinished } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { call, type Answer } from '#test/support/api-process.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { asOperator, makeProduct, test, type RunningApi } from '../processes/running-api.ts';

const zenobia = {
  name: 'Zenobia',
  lastname: 'Quillfeather',
  email: 'zenobia.before@example.net',
  telephone: '+34699887766',
  password: 'analytical engine',
};
const latest = 'z.quill@example.org';
/** Whatever of it stands somewhere, in whatever case, as text or as bytes. */
const traces = ['zenobia', 'quillfeather', 'z.quill@', 'zenobia.before@', '34699887766', 'peregrina', 'ponferrada'];
const found = (text: string): string[] =>
  traces.filter((trace) => text.toLowerCase().includes(trace) || text.includes(Buffer.from(trace).toString('hex')));

type Table = { readonly name: string; readonly text: string; readonly ofClient: number };

/** Every table as text, and how many of its rows refer to a client. */
async function dump({ postgres }: RunningApi, clientId: number): Promise<Table[]> {
  const client = new Client(clientOptions(postgres, 'atalaya-test'));
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string; refers: boolean }>(
      `SELECT c.relname AS name, EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'client_id') AS refers
       FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    const dumped: Table[] = [];
    for (const { name, refers } of tables) {
      const { rows } = await client.query<{ text: string; is_of: boolean }>(
        `SELECT t::text AS text, ${refers ? `client_id IS NOT DISTINCT FROM ${clientId}` : 'false'} AS is_of FROM "${name}" t`,
      );
      dumped.push({ name, text: rows.map(({ text }) => text).join('\n'), ofClient: rows.filter((row) => row.is_of).length });
    }
    return dumped;
  } finally {
    await client.end();
  }
}

async function dumpRedis(port: number): Promise<string> {
  const redis = new Redis(port, { replyMapping: 'legacy' } as never);
  try {
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map(async (key) => `${key} ${(await redis.zrange(key, '0', '-1')).join(' ')}`));
    return values.join('\n');
  } finally {
    redis.disconnect();
  }
}

/** A customer that leaves a trace wherever one can be left. */
async function live(api: RunningApi): Promise<{ id: number; headers: Record<string, string> }> {
  let keys = 0;
  const ask = async (path: string, body: object, headers: Record<string, string> = {}, method = 'POST'): Promise<Answer> => {
    const answer = await call(api.url + path, { method, body, headers: { 'idempotency-key': `key-${(keys += 1)}`, ...headers } });
    expect(`${method} ${path} ${answer.status}`).toMatch(/ 20[014]$/);
    return answer;
  };
  const productId = await makeProduct(api, 10);
  const id = (await ask('/clients', zenobia)).body['id_key'] as number;
  const login = await ask('/clients/login', { email: zenobia.email, password: zenobia.password });
  const headers = { authorization: `Bearer ${String(login.body['access_token'])}` };
  await ask('/clients/refresh', { refresh_token: login.body['refresh_token'] });
  const home = { street: 'Calle Peregrina', number: '77', city: 'Ponferrada', client_id: id };
  await ask('/addresses', home, headers);
  await ask('/addresses', home, asOperator);
  const bill = await ask('/bills', { client_id: id, payment_type: 2 }, headers);
  const lines = [{ product_id: productId, quantity: 2 }];
  const order = await ask('/orders', { client_id: id, delivery_method: 3, bill_id: bill.body['id_key'], lines }, headers);
  await ask('/orders', { client_id: id, delivery_method: 3, lines }, asOperator);
  const orderPath = `/orders/${String(order.body['id_key'])}`;
  for (const status of [2, 3]) await ask(orderPath, { status }, asOperator, 'PUT');
  await ask('/reviews', { product_id: productId, rating: 4.5, comment: 'It does what it should.' }, headers);
  await ask('/clients/forgot-password', { email: zenobia.email });
  await ask(`/clients/${id}`, { email: latest, current_password: zenobia.password }, headers, 'PUT');
  await ask('/clients/forgot-password', { email: latest });
  return { id, headers };
}

test.skipIf(!hasRedis)(
  'nothing personal is left of a client that was deleted, in any table and in Redis',
  { timeout: 90_000 },
  async ({ start }) => {
    const [redis, mails] = [await startRedis(), await startMailRecorder()];
    onTestFinished(() => Promise.all([redis.stop(), mails.close()]).then(() => undefined));
    // Whatever is to be mailed stays in the outbox.
    mails.behave(451);
    const api = await start({
      REDIS_ENABLED: 'true',
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: `${redis.port}`,
      MAIL_SMTP_URL: mails.url,
      MAIL_FROM: 'shop@example.com',
      MAIL_RESET_URL: 'https://shop.example/new',
    });
    const { id, headers } = await live(api);
    await mails.until(() => mails.attemptCount() >= 2);
    const before = await dump(api, id);
    expect(found(before.map(({ text }) => text).join('\n')), 'the search finds what is there').toEqual(traces);
    const traced = ['addresses', 'clients', 'idempotency_keys', 'mails', 'reviews'];
    expect(before.filter(({ text }) => found(text).length > 0).map(({ name }) => name)).toEqual(traced);
    const referring = ['addresses', 'bills', 'known_addresses', 'mails', 'orders', 'password_resets', 'reviews', 'sessions'];
    expect(before.filter(({ ofClient }) => ofClient > 0).map(({ name }) => name)).toEqual(referring);
    expect((await dumpRedis(redis.port)).split('\n').length).toBeGreaterThan(3);

    expect((await call(`${api.url}/clients/${id}`, { method: 'DELETE', headers })).status).toBe(204);
    const after = await dump(api, id);
    for (const { name, text } of after) expect([name, found(text)]).toEqual([name, []]);
    expect(after.filter(({ ofClient }) => ofClient > 0).map(({ name }) => name)).toEqual(['bills', 'orders']);
    expect(found(await dumpRedis(redis.port))).toEqual([]);
  },
);
