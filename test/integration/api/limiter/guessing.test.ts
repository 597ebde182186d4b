import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished } from 'vitest';
import { call, type Answer, type ApiProcess } from '#test/support/api-process.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { databaseSettings } from '#test/support/database.ts';
import { createDatabaseProxy } from '../processes/database-proxy.ts';
import { asOperator, makeCustomer, test, type Start } from '../processes/running-api.ts';

const trusting = { TRUSTED_PROXIES: '127.0.0.1' };
const from = (address: string) => ({ 'x-forwarded-for': address });
const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).toSorted((a, b) => a - b);

/** Passwords are worked on one by one: at the same time, a busy machine would refuse some for the time they take. */
async function oneByOne(count: number, ask: (index: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < count; index += 1) answers.push(await ask(index));
  return answers;
}

/** A client with a password, registered from an address of its own. */
async function register(api: ApiProcess, email: string, address: string): Promise<void> {
  const body = { name: 'A', lastname: 'B', email, password: 'a password of the tests' };
  const { status } = await call(`${api.url}/clients`, { headers: from(address), body });
  expect(status).toBe(201);
}

const logIn = (api: ApiProcess, email: string, headers: Record<string, string>, password = 'a wrong password'): Promise<Answer> =>
  call(`${api.url}/clients/login`, { headers: { connection: 'close', ...headers }, body: { email, password } });

describe('guessing passwords', { timeout: 90_000 }, () => {
  test('counts by the address, whatever credential comes with the guess', async ({ start }) => {
    const api = await start({ RATE_LIMIT_LOADTEST_CALLS: '1000' });
    const own = await Promise.all(Array.from({ length: 5 }, () => makeCustomer(api)));
    const guesses = await oneByOne(25, (index) => logIn(api, 'victim@example.com', { ...own[index % 5]?.headers }));
    expect(statusesOf(guesses)).toEqual([...Array<number>(5).fill(401), ...Array<number>(20).fill(429)]);
    expect((await logIn(api, 'victim@example.com', asOperator)).status, 'an operator’s key gives no guesses either').toBe(429);
  });

  test('counts by the account aimed at, from however many addresses and however the address is written', async ({ start }) => {
    const api = await start(trusting);
    await register(api, 'victim@example.com', '198.51.100.250');
    await register(api, 'other@example.com', '198.51.100.251');
    const spellings = ['victim@example.com', 'VICTIM@example.com', 'Victim@Example.com'];
    const guesses = await oneByOne(24, (index) => logIn(api, spellings[index % 3] as string, from(`198.51.100.${index}`)));
    expect(statusesOf(guesses)).toEqual([...Array<number>(20).fill(401), ...Array<number>(4).fill(429)]);
    const refused = guesses.find(({ status }) => status === 429) as Answer;
    expect(refused.body).toMatchObject({ code: 'rate_limited', 'violated-policies': ['login_account'] });
    expect(refused.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60, "login";q=5;w=60, "login_account";q=20;w=900');
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    const right = await logIn(api, 'other@example.com', from('198.51.100.0'), 'a password of the tests');
    expect(right.status, 'another account is not touched').toBe(200);
  });

  test('keeps the owner out nowhere they were before, nor where they use a token that was mailed to them', async ({ start }) => {
    const mails = await startMailRecorder();
    onTestFinished(mails.close);
    const mail = { MAIL_SMTP_URL: mails.url, MAIL_FROM: 'shop@example.com', MAIL_RESET_URL: 'https://shop.example/new' };
    const api = await start({ ...trusting, ...mail });
    const [email, right] = ['victim@example.com', 'a password of the tests'];
    await register(api, email, '198.51.100.250');
    expect((await logIn(api, email, from('2001:db8:1:2::1'), right)).status).toBe(200);
    const guesses = await oneByOne(21, (index) => logIn(api, email, from(`198.51.100.${index}`)));
    expect(statusesOf(guesses), 'the first was the owner’s own').toEqual([...Array<number>(19).fill(401), 429, 429]);
    const home = await logIn(api, email, from('2001:db8:1:2::9'), right);
    expect(home.status, 'the same network').toBe(200);
    expect(home.headers.get('ratelimit-policy')).toContain('"login_known_address";q=20;w=900');
    expect((await logIn(api, email, from('2001:db8:1:3::1'), right)).status, 'another network').toBe(429);
    expect((await logIn(api, 'other@example.com', from('2001:db8:1:2::1'))).status, 'known to one account is known to no other').toBe(401);

    await call(`${api.url}/clients/forgot-password`, { headers: from('203.0.113.7'), body: { email } });
    await mails.until(() => mails.mails.length === 1);
    const token = /reset_token=3D(\S+)/.exec(mails.mails[0]?.text.replaceAll('=\r\n', '') ?? '')?.[1];
    const body = { reset_token: token, new_password: 'difference engine' };
    expect((await call(`${api.url}/clients/reset-password`, { headers: from('203.0.113.7'), body })).status).toBe(200);
    expect((await logIn(api, email, from('203.0.113.7'), 'difference engine')).status).toBe(200);
  });

  test('mails an account no more than three tokens an hour, whoever asks, with an account and without', async ({ start }) => {
    const mails = await startMailRecorder();
    onTestFinished(mails.close);
    const mail = { MAIL_SMTP_URL: mails.url, MAIL_FROM: 'shop@example.com', MAIL_RESET_URL: 'https://shop.example/new' };
    const api = await start({ ...trusting, ...mail });
    await register(api, 'victim@example.com', '198.51.100.250');
    for (const email of ['victim@example.com', 'nobody@example.com']) {
      const asked = await oneByOne(5, (index) =>
        call(`${api.url}/clients/forgot-password`, { headers: from(`198.51.100.${index}`), body: { email } }),
      );
      expect(statusesOf(asked)).toEqual([204, 204, 204, 429, 429]);
      expect(asked.at(-1)?.body).toMatchObject({ 'violated-policies': ['password_reset_account'] });
    }
    await mails.until(() => mails.mails.length === 3);
    const byOne = await oneByOne(6, (index) =>
      call(`${api.url}/clients/forgot-password`, { headers: from('198.51.100.99'), body: { email: `x${index}@example.com` } }),
    );
    expect(statusesOf(byOne), 'nor does one address ask for many').toEqual([...Array<number>(5).fill(204), 429]);
  });

  test.skipIf(!hasRedis)('leaves no e-mail address in Redis', async ({ start }) => {
    const redis = await startRedis();
    try {
      const api = await start({ REDIS_ENABLED: 'true', REDIS_HOST: '127.0.0.1', REDIS_PORT: `${redis.port}` });
      expect((await logIn(api, 'victim@example.com', {})).status).toBe(401);
      const keys = await redis.keys();
      expect(keys.filter((key) => key.includes('login_account:'))).toHaveLength(1);
      expect(keys.join('\n')).not.toMatch(/victim|example\.com/);
    } finally {
      await redis.stop();
    }
  });
});

describe('registration', { timeout: 90_000 }, () => {
  test('counts by the address, whatever credential comes with it', async ({ start }) => {
    const api = await start();
    const own = await Promise.all([makeCustomer(api), makeCustomer(api)]);
    const answers = await oneByOne(8, (index) =>
      call(`${api.url}/clients`, {
        headers: { ...own[index % 2]?.headers },
        body: { name: 'A', lastname: 'B', email: `new${index}@example.com`, password: 'a password of the tests' },
      }),
    );
    expect(statusesOf(answers)).toEqual([...Array<number>(5).fill(201), ...Array<number>(3).fill(429)]);
  });
});

const guess = () => ({ 'x-api-key': `atk_${randomBytes(32).toString('base64url')}` });
const products = (api: ApiProcess, headers: Record<string, string>) =>
  call(`${api.url}/products`, { headers: { connection: 'close', ...headers } });
const startCounted = async (start: Start, env: Record<string, string>) => {
  const door = await createDatabaseProxy(databaseSettings('postgres'));
  await door.open();
  onTestFinished(door.close);
  return { api: await start({ ...env, POSTGRES_PORT: `${door.settings.POSTGRES_PORT}` }), lookedUp: () => door.ran('api-key-find') };
};

describe('guessing API keys', () => {
  test('asks the database only as often as the address may ask', async ({ start }) => {
    const { api, lookedUp } = await startCounted(start, { RATE_LIMIT_CALLS: '20', API_WORKERS: '1' });
    expect((await products(api, asOperator)).status).toBe(200);
    expect(lookedUp()).toBe(1);
    const guesses = await Promise.all(Array.from({ length: 200 }, () => products(api, guess())));
    // The operator's key was one of the twenty that this address may let be looked up.
    expect(statusesOf(guesses)).toEqual([...Array<number>(19).fill(401), ...Array<number>(181).fill(429)]);
    expect(lookedUp()).toBe(20);
    expect((await products(api, asOperator)).status, 'a key in use is known, and asks nothing of the address').toBe(200);
  });

  test('with the same key again and again asks once', async ({ start }) => {
    const { api, lookedUp } = await startCounted(start, { API_WORKERS: '1' });
    const wrong = guess();
    for (let index = 0; index < 30; index += 1) expect((await products(api, wrong)).status).toBe(401);
    expect(lookedUp()).toBe(1);
  });

  test('400 at once with a good key that no worker has seen yet are counted by it, not by their address', async ({ start }) => {
    const api = await start({ RATE_LIMIT_CALLS: '50' });
    const answers = await Promise.all(Array.from({ length: 400 }, () => products(api, asOperator)));
    expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
    const remaining = answers.map(({ headers }) => Number(headers.get('x-ratelimit-remaining')));
    expect(Math.min(...remaining), 'and each exactly once').toBe(100);
  });
});
