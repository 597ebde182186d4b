import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished } from 'vitest';
import { securityEvents, type SecurityEvent } from '#api/logs/security-line.ts';
import { clientOptions } from '#lib/postgres.ts';
import { runCommand } from '#lib/run-command.ts';
import { call, operatorKey, type Answer } from '#test/support/api-process.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { test, type RunningApi } from '../processes/running-api.ts';

type Line = Readonly<Record<string, unknown>> & { readonly event: SecurityEvent };

const password = 'analytical engine';
const emailOf = (name: string): string => `${name}@example.com`;
let addresses = 0;

type Asked = { readonly body?: unknown; readonly headers?: Record<string, string>; readonly method?: string; readonly ip?: string };

/** A request, from an address of its own, whose id begins with the event that it is to cause. */
type Ask = (event: SecurityEvent | 'nothing', path: string, asked?: Asked) => Promise<Answer>;

const askOf =
  (api: RunningApi): Ask =>
  (event, path, { headers, ip = `198.51.100.${(addresses += 1)}`, ...rest } = {}) =>
    call(api.url + path, {
      ...rest,
      headers: { connection: 'close', 'x-request-id': `${event}.${ip}`, 'x-forwarded-for': ip, ...headers },
    });

async function sql(api: RunningApi, text: string): Promise<void> {
  const client = new Client(clientOptions(api.postgres, 'atalaya-test'));
  await client.connect();
  await client.query(text).finally(() => client.end());
}

const bearer = ({ body }: Answer) => ({ authorization: `Bearer ${String(body['access_token'])}` });

async function playAccounts(ask: Ask, api: RunningApi): Promise<{ ada: number; bob: number }> {
  const register = async (name: string): Promise<number> =>
    (await ask('nothing', '/clients', { body: { name, lastname: 'L', email: emailOf(name), password } })).body['id_key'] as number;
  const [ada, bob] = [await register('ada'), await register('bob')];
  const logIn = (event: SecurityEvent, email: string, secret: string, ip?: string) =>
    ask(event, '/clients/login', { body: { email, password: secret }, ...(ip !== undefined && { ip }) });
  await logIn('login_failed', emailOf('ada'), 'a wrong password');
  const session = await logIn('login_succeeded', emailOf('ada'), password);
  const headers = bearer(session);
  const change = (event: SecurityEvent, current: string) =>
    ask(event, `/clients/${ada}/password`, {
      method: 'PUT',
      headers,
      body: { current_password: current, new_password: 'difference engine' },
    });
  await change('password_change_refused', 'a wrong password');
  await change('password_changed', password);
  const move = (event: SecurityEvent, current_password: string) =>
    ask(event, `/clients/${ada}`, { method: 'PUT', headers, body: { email: emailOf('augusta'), current_password } });
  await move('email_change_refused', password);
  await move('email_changed', 'difference engine');
  await ask('operator_acted', `/clients/${ada}`, { method: 'PUT', headers: { 'x-api-key': operatorKey }, body: { name: 'Augusta' } });
  const refresh = (event: SecurityEvent | 'nothing') =>
    ask(event, '/clients/refresh', { body: { refresh_token: session.body['refresh_token'] } });
  await refresh('nothing');
  await sql(api, `UPDATE sessions SET refreshed_at = now() - interval '11 seconds'`);
  await refresh('session_stolen');
  const bobs = bearer(await logIn('login_succeeded', emailOf('bob'), password));
  await ask('sessions_ended', `/clients/${bob}/sessions`, { method: 'DELETE', headers: bobs });
  const again = bearer(await logIn('login_succeeded', emailOf('bob'), password));
  await ask('account_deleted', `/clients/${bob}`, { method: 'DELETE', headers: again });
  for (let guesses = 0; guesses < 5; guesses += 1) await logIn('login_failed', emailOf('nobody'), 'a wrong password', '203.0.113.1');
  await logIn('login_throttled', emailOf('nobody'), 'a wrong password', '203.0.113.1');
  return { ada, bob };
}

async function playKeys(ask: Ask, api: RunningApi, env: Record<string, string>): Promise<string[]> {
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    runCommand({ file: process.execPath, args: ['api/auth/cli.ts', ...args], env }, { timeoutMs: 20_000 });
  const keys: string[] = [];
  for (const name of ['scope', 'expired', 'revoked']) {
    const { stdout } = await run('create', '--role', 'operator', '--name', name, '--scope', 'read', '--expires', '1', '--json');
    keys.push((JSON.parse(stdout) as { key: string }).key);
  }
  await run('revoke', '5');
  await sql(api, 'UPDATE api_keys SET expires_at = now() WHERE id = 4');
  const events = ['key_scope_refused', 'key_expired', 'key_was_revoked', 'key_unknown'] as const;
  for (const [index, event] of events.entries())
    await ask(event, '/categories', { body: { name: 'x' }, headers: { 'x-api-key': keys[index] ?? 'atk_unknown' } });
  return keys;
}

test('security.log tells every event once for each time, with the account aimed at, the request and its address, and no secret', async ({
  start,
}) => {
  const mails = await startMailRecorder();
  onTestFinished(mails.close);
  const folder = await temporaryFolder();
  const mail = { MAIL_SMTP_URL: mails.url, MAIL_FROM: 'shop@example.com', MAIL_RESET_URL: 'https://shop.example/new' };
  const api = await start({ LOG_DIR: folder, TRUSTED_PROXIES: '127.0.0.1', ...mail });
  const ask = askOf(api);
  const { ada, bob } = await playAccounts(ask, api);
  const forgot = (event: SecurityEvent, email: string) => ask(event, '/clients/forgot-password', { body: { email } });
  const reset = (event: SecurityEvent, token: string) =>
    ask(event, '/clients/reset-password', { body: { reset_token: token, new_password: 'a third engine' } });
  await forgot('reset_asked', emailOf('augusta'));
  await mails.until(() => mails.subjects('Choose').length === 1);
  const token =
    /reset_token=3D(\S+)|reset_token=(\S+)/.exec(mails.mails.at(-1)?.text.replaceAll('=\r\n', '') ?? '')?.findLast(Boolean) ?? '';
  await reset('reset_refused', `${token}x`);
  expect((await reset('reset_used', token)).status).toBe(200);
  for (let asked = 0; asked < 3; asked += 1) await forgot('reset_asked', emailOf('nobody'));
  await forgot('reset_throttled', emailOf('nobody'));
  const environment = Object.fromEntries(Object.entries(api.postgres).map(([name, value]) => [name, String(value)]));
  const keys = await playKeys(ask, api, { ...environment, LOG_DIR: folder });
  expect(await api.stop()).toBe(0);

  const text = await readFile(join(folder, 'security.log'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const counts: Partial<Record<SecurityEvent, number>> = {};
  for (const { event } of lines) counts[event] = (counts[event] ?? 0) + 1;
  const once = Object.fromEntries(Object.keys(securityEvents).map((event) => [event, 1]));
  expect(counts).toEqual({ ...once, login_succeeded: 3, login_failed: 6, reset_asked: 4, key_made: 5 });

  const inRequests = lines.filter(({ event }) => event !== 'key_made' && event !== 'key_revoked');
  for (const { event, request_id: id, ip } of inRequests) expect(id).toBe(`${event}.${String(ip)}`);
  const of = (event: SecurityEvent): Line | undefined => lines.find((line) => line.event === event);
  expect(of('login_failed')).toMatchObject({ account: `client:${ada}`, status: 401, method: 'POST', route: '/clients/login' });
  expect(lines.findLast(({ event }) => event === 'login_failed')?.['account'], 'nobody is known there').toBeUndefined();
  const digests = lines.filter(({ event, ip }) => event === 'login_failed' && ip === '203.0.113.1').map((line) => line['aimed_at']);
  expect(new Set(digests)).toEqual(new Set([expect.stringMatching(/^[\w-]{43}$/)]));
  expect(of('operator_acted')).toMatchObject({ account: `client:${ada}`, principal: 'key:1', status: 200 });
  expect(of('account_deleted')).toMatchObject({ account: `client:${bob}`, principal: `client:${bob}`, status: 204 });
  expect(of('reset_used')).toMatchObject({ account: `client:${ada}`, status: 200 });
  expect(of('session_stolen')).toMatchObject({ account: `client:${ada}`, status: 401 });
  expect(of('key_revoked')).toMatchObject({ account: 'key:5', principal: 'command line' });
  for (const secret of [password, 'engine', 'wrong', token, operatorKey, ...keys, '@', 'augusta', 'atr_', 'eyJ'])
    expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
}, 90_000);
