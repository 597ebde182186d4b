// A new password by mail, from the asking to the delivery past mail servers that fail; it shares one shop and recorder, so it is long.

import { describe, expect, onTestFinished } from 'vitest';
import type { Pool } from 'pg';
import { createPasswordResets } from '#api/auth/password-resets.ts';
import { smtpSender, startMailDelivery, type MailDelivery } from '#api/mail/deliver-mails.ts';
import { writeLetter } from '#api/mail/letters.ts';
import { claimMail } from '#api/mail/outbox.ts';
import { createLogger } from '#lib/logger.ts';
import { call } from '#test/support/api-process.ts';
import { startMailRecorder, type Mail, type MailRecorder } from '#test/support/mail-recorder.ts';
import { test, type MigratedDatabase } from '#test/support/migrated-database.ts';
import { test as programTest } from '../processes/running-api.ts';
import { anonymous, customer, openShop, operator, type Shop } from '../shop/shop.ts';

const resetUrl = 'https://shop.example/new-password';
const password = 'analytical engine';
const settings = { LOG_LEVEL: 'info', LOG_FORMAT: 'json' } as const;

type Office = { readonly shop: Shop; readonly mails: MailRecorder; readonly delivery: MailDelivery; readonly log: () => string };

/** A process that sends what waits, soon. */
function deliver({ pool }: { readonly pool: Pool }, url: string, log: (line: string) => void = () => {}): MailDelivery {
  const resets = createPasswordResets('a test secret of at least 32 characters');
  const delivery = startMailDelivery({
    pool,
    write: (mail) => writeLetter(mail, { pool, resets, resetUrl }),
    send: smtpSender({ smtpUrl: url, from: 'Shop <shop@example.com>' }),
    logger: createLogger('api', settings, { write: log }),
    lookEveryMs: 50,
  });
  onTestFinished(delivery.stop);
  return delivery;
}

async function openOffice(db: MigratedDatabase): Promise<Office> {
  const mails = await startMailRecorder();
  onTestFinished(mails.close);
  let text = '';
  const delivery = deliver(db, mails.url, (line) => (text += line));
  return { shop: openShop(db, { mail: delivery }), mails, delivery, log: () => text };
}

async function register(shop: Shop, email = `ada-${crypto.randomUUID()}@example.com`): Promise<{ id: number; email: string }> {
  const { json } = await shop.call(anonymous, 'POST /clients', { body: { name: 'Ada', lastname: 'L', email, password } });
  return { id: json.id_key as number, email };
}

const logIn = (shop: Shop, email: string, secret: string) =>
  shop.call(anonymous, 'POST /clients/login', { body: { email, password: secret } });
const ask = (shop: Shop, email: string) => shop.call(anonymous, 'POST /clients/forgot-password', { body: { email } });
const use = (shop: Shop, token: string, newPassword = 'difference engine') =>
  shop.call(anonymous, 'POST /clients/reset-password', { body: { reset_token: token, new_password: newPassword } });

/** What was written, before it was made fit for the way. */
const plain = ({ text }: Mail): string =>
  text.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
const tokenIn = (mail: Mail | undefined): string => /#reset_token=(\S+)/.exec(mail ? plain(mail) : '')?.[1] ?? 'none';
/** It may hold underscores of its own. */
const secretIn = (token: string): string => token.replace(/^atp_\d+_/, '');
const waiting = async ({ pool }: MigratedDatabase) => (await pool.query<Record<string, unknown>>('SELECT * FROM mails ORDER BY id')).rows;
const asText = async ({ pool }: MigratedDatabase): Promise<string> =>
  (await pool.query<{ text: string }>(`SELECT m::text AS text FROM mails m UNION ALL SELECT r::text FROM password_resets r`)).rows
    .map(({ text }) => text)
    .join('\n');
const makeDue = ({ pool }: MigratedDatabase) => pool.query(`UPDATE mails SET due_at = now()`);
const refused = { code: 'unauthenticated' };

describe('a new password by mail', () => {
  test('is chosen with the token that came, once, and ends every session', async ({ db }) => {
    const { shop, mails } = await openOffice(db);
    const { id, email } = await register(shop);
    const { json: session } = await logIn(shop, email, password);
    expect((await ask(shop, email.toUpperCase())).status).toBe(204);
    await mails.until(() => mails.mails.length === 1);
    expect(mails.mails[0]).toMatchObject({ subject: 'Choose a new password', headers: { 'auto-submitted': 'auto-generated' } });
    const token = tokenIn(mails.mails[0]);
    expect(token).toMatch(/^atp_\d+_[\w-]{43}$/);

    await expect(use(shop, token, 'password')).rejects.toMatchObject({ code: 'validation_failed' });
    expect((await use(shop, token)).json).toEqual({ id_key: id, name: 'Ada' });
    await expect(use(shop, token)).rejects.toMatchObject(refused);
    await expect(logIn(shop, email, password)).rejects.toMatchObject(refused);
    expect((await logIn(shop, email, 'difference engine')).status).toBe(200);
    expect(await shop.services.tokens.verify(session.access_token as string)).toBeUndefined();
    await expect(shop.call(anonymous, 'POST /clients/refresh', { body: { refresh_token: session.refresh_token } })).rejects.toMatchObject(
      refused,
    );
    await mails.until(() => mails.subjects().includes('Your password was changed'));
  });

  test('leaves the token in no table, and once the mail is sent nothing of it', async ({ db }) => {
    const { shop, mails, log } = await openOffice(db);
    mails.behave(451);
    const { email } = await register(shop);
    await ask(shop, email);
    await mails.until(() => mails.attemptCount() === 1);
    await expect.poll(async () => (await waiting(db))[0]?.['attempts']).toBe(1);
    const before = await asText(db);
    mails.behave('accept');
    await makeDue(db);
    await mails.until(() => mails.mails.length === 1);
    const secret = secretIn(tokenIn(mails.mails[0]));
    for (const form of [secret, Buffer.from(secret, 'base64url').toString('hex')]) expect(before + (await asText(db))).not.toContain(form);
    await expect.poll(() => waiting(db)).toEqual([]);
    expect(log()).toContain('mail sent');
    expect(log()).not.toContain(secret);
    expect(log().toLowerCase()).not.toContain(email.toLowerCase());
  });

  test('is asked for with the same answer and the same questions to the database, whether there is an account or not', async ({ db }) => {
    const asked: string[] = [];
    db.pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      client.query = ((...args: unknown[]) => {
        const [first] = args as [string | { text: string }];
        asked.push(typeof first === 'string' ? first : first.text);
        return query(...args);
      }) as typeof client.query;
    });
    const shop = openShop(db, { mail: { wake: () => {} } });
    const { email } = await register(shop);
    const outcome = async (address: string): Promise<unknown> => {
      asked.length = 0;
      const { status, text } = await ask(shop, address);
      return { status, text, asked: [...asked] };
    };
    const known = await outcome(email);
    expect(known).toMatchObject({ status: 204, text: '' });
    expect(asked.length).toBeGreaterThan(0);
    expect(await outcome(`nobody-${email}`)).toEqual(known);
  });

  test('is sent to nobody for an address without an account, of a deleted one, or of one that has no password', async ({ db }) => {
    const { shop, mails } = await openOffice(db);
    const { id, email } = await register(shop);
    await shop.call(operator, `DELETE /clients/${id}`);
    await db.pool.query(`INSERT INTO clients (name, lastname, email) VALUES ('Load', 'Test', 'load@example.com')`);
    for (const address of ['nobody@example.com', email, 'load@example.com', 'no address']) await ask(shop, address);
    await expect.poll(() => waiting(db)).toEqual([]);
    const witness = await register(shop);
    await ask(shop, witness.email);
    await mails.until(() => mails.mails.length > 0);
    expect(mails.mails.map(({ recipients }) => recipients)).toEqual([[witness.email]]);
  });

  test('takes no token that has expired, was made up, or was overtaken by another change of password or address', async ({ db }) => {
    const { shop, mails } = await openOffice(db);
    const { id, email } = await register(shop);
    const askedToken = async (address: string): Promise<string> => {
      const before = mails.subjects('Choose').length;
      await ask(shop, address);
      await mails.until(() => mails.subjects('Choose').length > before);
      return tokenIn(mails.mails.findLast(({ subject }) => subject.startsWith('Choose')));
    };
    const expired = await askedToken(email);
    await db.pool.query(`UPDATE password_resets SET expires_at = now() - interval '1 second'`);
    const first = await askedToken(email);
    for (const token of [expired, `${first}x`, first.replace(/^atp_\d+/, 'atp_9999'), `atp_1_${'A'.repeat(43)}`, 'x', '٣'])
      await expect(use(shop, token)).rejects.toMatchObject(refused);
    await shop.call(customer(id), `PUT /clients/${id}/password`, {
      body: { current_password: password, new_password: 'a password of her own' },
    });
    await expect(use(shop, first)).rejects.toMatchObject(refused);
    const second = await askedToken(email);
    await shop.call(customer(id), `PUT /clients/${id}`, { body: { email: `new-${email}`, current_password: 'a password of her own' } });
    await expect(use(shop, second)).rejects.toMatchObject(refused);
    await mails.until(() =>
      mails.mails.some(({ subject, recipients }) => subject.includes('address was changed') && recipients[0] === email),
    );
    const [one, two] = [await askedToken(`new-${email}`), await askedToken(`new-${email}`)];
    expect((await use(shop, one)).status, 'whoever asks again does not take the first token away').toBe(200);
    await expect(use(shop, two)).rejects.toMatchObject(refused);
  });

  test('is not to be had where no mail server is set, and says so', async ({ db }) => {
    const shop = openShop(db);
    await expect(ask(shop, 'ada@example.com')).rejects.toMatchObject({ code: 'not_configured' });
    expect(await waiting(db)).toEqual([]);
  });
});

describe('a mail', () => {
  test('is tried again under the same Message-ID until the server takes it, and sent once by however many processes', async ({ db }) => {
    const { shop, mails } = await openOffice(db);
    for (let others = 0; others < 3; others += 1) deliver(db, mails.url);
    mails.behave('greylist');
    const emails = Array.from({ length: 8 }, (_, index) => `client-${index}@example.com`);
    await db.pool.query(
      `INSERT INTO clients (name, lastname, email, password_hash) SELECT 'Ada', 'L', email, 'none' FROM unnest($1::text[]) AS email`,
      [emails],
    );
    await Promise.all(emails.map((email) => ask(shop, email)));
    await mails.until(() => mails.refusalCount() === 8);
    await expect.poll(async () => (await waiting(db)).every(({ due_at }) => Number(due_at) < Date.now() + 30_000)).toBe(true);
    await makeDue(db);
    await expect.poll(() => waiting(db), { timeout: 20_000 }).toEqual([]);
    expect(mails.mails.flatMap(({ recipients }) => recipients).toSorted()).toEqual(emails.toSorted());
    expect(new Set(mails.mails.map(({ messageId }) => messageId)).size).toBe(8);
  });

  test('is given up when its recipient is refused for good, and no other for it', async ({ db }) => {
    const { shop, mails, log } = await openOffice(db);
    const [ada, bob] = [await register(shop), await register(shop)];
    mails.behave({ at: 'RCPT', code: 550, text: `5.1.1 <${ada.email}> is unknown`, recipient: ada.email });
    for (const { email } of [ada, bob]) await ask(shop, email);
    await expect.poll(() => waiting(db)).toEqual([]);
    expect(mails.mails.map(({ recipients }) => recipients)).toEqual([[bob.email]]);
    expect(log()).toContain('refused for good');
    expect(log()).not.toContain(ada.email);
  });

  test('outlives a server that hangs and a process that dies: another takes it over once its time is up', async ({ db }) => {
    const { shop, mails, delivery } = await openOffice(db);
    const { email } = await register(shop);
    mails.behave('hang');
    await ask(shop, email);
    await mails.until(() => mails.attemptCount() === 1);
    await delivery.stop();
    expect(await waiting(db)).toHaveLength(1);
    await makeDue(db);
    // As by a process that is killed at this very moment.
    expect(await claimMail(db.pool)).toMatchObject({ attempts: 2 });
    expect(await claimMail(db.pool)).toBeUndefined();
    mails.behave('accept');
    await makeDue(db);
    deliver(db, mails.url);
    await mails.until(() => mails.mails.length === 1);
    expect((await use(shop, tokenIn(mails.mails[0]))).status).toBe(200);
  });

  test('that was accepted is not sent again by a process that could not say so in the database', async ({ db }) => {
    const { shop, mails, delivery } = await openOffice(db);
    await delivery.stop();
    let failures = 0;
    const failing = new Proxy(db.pool, {
      get: (pool, name) =>
        name === 'query'
          ? (query: { name: string }) => (query.name === 'mail-remove' && (failures += 1) <= 3 ? failed() : pool.query(query as never))
          : (Reflect.get(pool, name) as unknown),
    });
    deliver({ pool: failing }, mails.url);
    const { email } = await register(shop);
    await ask(shop, email);
    await expect.poll(() => failures).toBeGreaterThan(1);
    await makeDue(db);
    await expect.poll(() => waiting(db)).toEqual([]);
    expect([failures, mails.attemptCount()]).toEqual([4, 1]);
  });

  test('that is of no use any more is dropped, and strangers cannot fill the database with them', async ({ db }) => {
    const shop = openShop(db, { mail: { wake: () => {} } });
    await db.pool.query(
      `INSERT INTO mails (kind, address, expires_at) SELECT 'password_reset', 'a@b.c', now() - interval '1 second' FROM generate_series(1, 10000)`,
    );
    await expect(ask(shop, 'ada@example.com')).rejects.toMatchObject({ code: 'overloaded' });
    for (let claims = 0; claims < 100; claims += 1) await claimMail(db.pool);
    expect(await waiting(db)).toEqual([]);
    expect((await ask(shop, 'ada@example.com')).status).toBe(204);
  });
});

const failed = (): Promise<never> => Promise.reject(new Error('the connection broke'));

programTest(
  'the API mails by its settings, and neither its logs nor its effective settings show a token or a password',
  async ({ start }) => {
    const mails = await startMailRecorder({ offersLogin: true });
    onTestFinished(mails.close);
    const server = new URL(mails.url);
    [server.username, server.password] = ['shop', 'smtp-secret'];
    const api = await start({
      MAIL_SMTP_URL: server.href,
      MAIL_SMTP_ALLOW_CLEARTEXT: 'true',
      MAIL_FROM: 'shop@example.com',
      MAIL_RESET_URL: resetUrl,
    });
    const ada = { name: 'Ada', lastname: 'L', email: 'ada@example.com', password };
    await call(`${api.url}/clients`, { body: ada });
    expect((await call(`${api.url}/clients/forgot-password`, { body: { email: ada.email } })).status).toBe(204);
    await mails.until(() => mails.mails.length === 1);
    const token = tokenIn(mails.mails[0]);
    const body = { reset_token: token, new_password: 'difference engine' };
    expect((await call(`${api.url}/clients/reset-password`, { body })).status).toBe(200);
    await mails.until(() => mails.mails.length === 2);
    expect(await api.stop()).toBe(0);
    const logs = api.stdout() + api.stderr();
    expect(logs).toContain('/clients/reset-password');
    for (const secret of [secretIn(token), 'smtp-secret', 'difference engine', ada.email]) expect(logs).not.toContain(secret);
  },
);
