import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { createApiKeys } from '#api/auth/api-keys.ts';
import { createPool } from '#api/db/pool.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { loadtestKey, operatorKey, startApi, type ApiProcess } from '#test/support/api-process.ts';
import { createContract, type Contract, type ContractDocument } from '#test/support/contract.ts';
import { startMailRecorder, type MailRecorder } from '#test/support/mail-recorder.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { rawConnection, requestText, type RawAnswer } from '#test/support/raw-http.ts';
import { startRedis } from '#test/support/redis.ts';
import { createDatabaseProxy, type DatabaseProxy } from '../processes/database-proxy.ts';

export type Headers = Readonly<Record<string, string>>;
export type Sent = { readonly method: string; readonly target: string; readonly headers?: Headers; readonly body?: string | undefined };

/** The API on PostgreSQL and Redis, as a role of its own that is no owner, with every answer noted. */
export type Shop = {
  readonly api: ApiProcess;
  readonly contract: Contract;
  readonly door: DatabaseProxy;
  readonly operator: Headers;
  readonly readOnly: Headers;
  readonly loadtest: Headers;
  /** Runs SQL past the API, as the owner. */
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  /** The role that the API works as. */
  readonly role: string;
  /** From an address that has asked for nothing yet, unless one is given. */
  readonly send: (request: Sent, address?: string) => Promise<RawAnswer>;
  readonly sendRaw: (bytes: string) => Promise<RawAnswer>;
  /** Makes a thing, and returns what was answered. */
  readonly make: (path: string, as: Headers, body: object) => Promise<Made>;
  /** Somebody without a password, and their credential. */
  readonly customer: () => Promise<Customer>;
  /** Somebody who has logged in. */
  readonly member: () => Promise<Customer & { readonly email: string; readonly password: string; readonly refreshToken: string }>;
  /** What is mailed to whoever has forgotten a password. */
  readonly resetToken: (email: string) => Promise<string>;
  /** The same shop by a process that sends no mail. */
  readonly startWithoutMail: () => Promise<ApiProcess>;
};

export type Made = { readonly id: number; readonly json: Readonly<Record<string, any>> };
export type Customer = { readonly id: number; readonly as: Headers };

/** So that as many questions come from one address as these tests ask as one operator in a minute. */
const rateLimitCalls = 100;
export const anonymousLimit = rateLimitCalls;

/** Starts it all; `end` stops it. */
export async function openShopUnderContract(): Promise<Shop & { readonly end: () => Promise<void> }> {
  const database = await createMigratedDatabase();
  const { role, owner } = await restrictedRole(database.settings);
  const door = await createDatabaseProxy({ ...database.settings, POSTGRES_USER: role, POSTGRES_PASSWORD: role });
  await door.open();
  const redis = await startRedis();
  const mails = await startMailRecorder();
  const api = await startApi(door.settings, {
    MAIL_SMTP_URL: mails.url,
    MAIL_FROM: 'Shop <shop@example.com>',
    MAIL_RESET_URL: 'https://shop.example/new-password',
    TRUSTED_PROXIES: '127.0.0.1',
    IF_MATCH_REQUIRED: 'true',
    RATE_LIMIT_CALLS: String(rateLimitCalls),
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
  });
  await api.ready();
  const readOnlyKey = await keyThatOnlyLooks(database.settings);
  const shop = await shopOf({
    mails,
    api,
    door,
    role,
    readOnlyKey,
    sql: async (text, values = []) => (await owner.query(text, [...values])).rows,
  });
  return {
    ...shop,
    end: async () => {
      api.child.kill('SIGKILL');
      await api.exited;
      await redis.stop();
      await mails.close();
      await door.close();
      await owner.query(`DROP OWNED BY ${role}`);
      await owner.query(`DROP ROLE ${role}`);
      await owner.end();
      await database.drop();
    },
  };
}

/** A role that may use the tables and no more, as in production. */
async function restrictedRole(settings: PostgresSettings): Promise<{ role: string; owner: Client }> {
  const owner = new Client(clientOptions(settings, 'atalaya-test'));
  await owner.connect();
  const role = `app_${randomUUID().slice(0, 8)}`;
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
  await owner.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
  return { role, owner };
}

async function keyThatOnlyLooks(settings: PostgresSettings): Promise<string> {
  const pool = createPool({ ...settings, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 }, 'atalaya-test');
  try {
    return (await createApiKeys(pool).create('operator', 'auditor', { scope: 'read' })).key;
  } finally {
    await pool.end();
  }
}

type Opened = Pick<Shop, 'api' | 'door' | 'role' | 'sql'> & { readonly readOnlyKey: string; readonly mails: MailRecorder };

async function shopOf({ api, mails, readOnlyKey, ...opened }: Opened): Promise<Shop> {
  const port = Number(new URL(api.url).port);
  const contract = createContract((await (await fetch(`${api.url}/openapi.json`)).json()) as ContractDocument);
  const exchange = async (bytes: string): Promise<RawAnswer> => {
    const connection = rawConnection(port);
    return connection.exchange(bytes, { timeoutMs: 30_000 }).finally(() => connection.close());
  };
  let strangers = 0;
  const send: Shop['send'] = async ({ headers, ...request }, address) => {
    strangers += 1;
    const from = address ?? `10.${strangers >> 16}.${(strangers >> 8) & 255}.${strangers & 255}`;
    return exchange(requestText({ ...request, headers: { 'x-forwarded-for': from, ...headers } }));
  };
  const make: Shop['make'] = async (path, as, body) => {
    const answer = await send({ method: 'POST', target: path, headers: as, body: JSON.stringify(body) });
    if (answer.status >= 300) throw new Error(`POST ${path} was answered ${answer.status}: ${answer.text}`);
    const json = JSON.parse(answer.text) as Record<string, unknown>;
    return { id: Number(json['id_key']), json };
  };
  const loadtest = { 'x-api-key': loadtestKey };
  return {
    ...opened,
    api,
    contract,
    send,
    sendRaw: exchange,
    make,
    operator: { 'x-api-key': operatorKey },
    readOnly: { 'x-api-key': readOnlyKey },
    loadtest,
    resetToken: async (email) => {
      const { status } = await send({ method: 'POST', target: '/clients/forgot-password', body: JSON.stringify({ email }) });
      if (status !== 204) throw new Error(`no mail was asked for: ${status}`);
      const mailed = (): string | undefined => mails.mails.find(({ recipients }) => recipients.includes(email))?.text;
      await mails.until(() => mailed() !== undefined);
      // Undoes what makes a text fit for the way, RFC 2045 §6.7.
      return /#reset_token=(\S+)/.exec(mailed()?.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? '')?.[1] ?? '';
    },
    startWithoutMail: async () => {
      const other = await startApi(opened.door.settings, { API_WORKERS: '1' });
      await other.ready();
      return other;
    },
    customer: async () => {
      const { id, json } = await make('/clients', loadtest, registration());
      return { id, as: { authorization: `Bearer ${json['access_token']}` } };
    },
    member: async () => {
      const { email, ...personal } = registration();
      const password = `${randomUUID()} of mine`;
      const { id } = await make('/clients', {}, { ...personal, email, password });
      const { json } = await make('/clients/login', {}, { email, password });
      return { id, as: { authorization: `Bearer ${json['access_token']}` }, email, password, refreshToken: json['refresh_token'] };
    },
  };
}

export const registration = () => ({ name: 'Ada', lastname: 'Vega', email: `ada.${randomUUID()}@example.com` });
