import { describe, expect } from 'vitest';
import { createApiKeys } from '#api/auth/api-keys.ts';
import type { Admit } from '#api/auth/principal.ts';
import { runCommand } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { test } from '#test/support/migrated-database.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

const refuse = (): Promise<never> => Promise.reject(new Error('the limit is used up'));

describe('API keys', () => {
  test('are known by their hash alone, and only while they are not revoked', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const { id, key } = await keys.create('operator', 'Ann');
    expect(key).toMatch(/^atk_[A-Za-z0-9_-]{43}$/);
    expect(await keys.authenticate(key)).toEqual({ kind: 'operator', keyId: id, name: 'Ann' });
    expect(await keys.authenticate(`${key}x`)).toBeUndefined();
    const { rows } = await db.pool.query("SELECT *, encode(key_hash, 'escape') AS readable FROM api_keys");
    expect(JSON.stringify(rows)).not.toContain(key.slice(4));
    expect((await keys.list())[0]?.last_used_at).toBeInstanceOf(Date);

    expect([await keys.revoke(id), await keys.revoke(id)]).toEqual([true, false]);
    expect(await createApiKeys(db.pool).authenticate(key)).toBeUndefined();
  });

  test('end on the day they are made for, and those that only read are told apart', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const { id, key } = await keys.create('operator', 'Auditor', { scope: 'read', expiresInDays: 30 });
    expect(await keys.authenticate(key)).toEqual({ kind: 'operator', keyId: id, name: 'Auditor', isReadOnly: true });
    const lastsDays = ((await keys.list())[0]?.expires_at?.getTime() ?? 0) - Date.now();
    expect(Math.round(lastsDays / 86_400_000)).toBe(30);
    await db.pool.query(`UPDATE api_keys SET expires_at = now() - interval '1 second'`);
    expect(await createApiKeys(db.pool).authenticate(key)).toBeUndefined();
  });

  test('are looked up once for all who ask meanwhile, admitted once, and a no is remembered like a yes', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const { key } = await keys.create('operator', 'Ann');
    const { asked, admit } = recordAdmissions();
    const answers = await Promise.all([1, 2, 3].map(() => keys.authenticate(key, admit)));
    expect(answers.map((principal) => principal?.kind)).toEqual(['operator', 'operator', 'operator']);
    expect(asked, 'nobody knew yet whose it is').toEqual([undefined]);
    await keys.authenticate(key, admit);
    expect(asked.at(-1), 'now its owner is asked').toEqual(answers[0]);
    asked.length = 0;
    const unknown = [await keys.authenticate('unknown', admit), await keys.authenticate('unknown', admit)];
    expect([unknown, asked]).toEqual([[undefined, undefined], [undefined]]);
  });

  test('are recalled without a question once they were looked up, as long as that is believed', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const { key } = await keys.create('operator', 'Ann');
    expect(keys.recall(key), 'nobody has looked yet').toBeUndefined();
    const [principal] = [await keys.authenticate(key), await keys.authenticate('unknown')];
    expect(principal).toMatchObject({ kind: 'operator' });
    expect([keys.recall(key), keys.recall('unknown')]).toEqual([principal, undefined]);
  });

  test('are not looked up for whom the limit refuses, nor is the refusal remembered', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const { key } = await keys.create('operator', 'Ann');
    await expect(keys.authenticate(key, refuse)).rejects.toThrow('the limit is used up');
    expect((await keys.list())[0]?.last_used_at).toBeNull();
    expect(await keys.authenticate(key)).toMatchObject({ kind: 'operator' });
  });

  test('given by the settings are stored once, and once revoked stay so', async ({ db }) => {
    const keys = createApiKeys(db.pool);
    const given = 'a key of the operator, 24 characters or more';
    await Promise.all([keys.ensure(given, 'operator', 'bootstrap'), keys.ensure(given, 'operator', 'bootstrap')]);
    await keys.ensure(given, 'operator', 'bootstrap');
    const all = await keys.list();
    expect(all).toHaveLength(1);
    expect(await keys.authenticate(given)).toMatchObject({ kind: 'operator', name: 'bootstrap' });
    await keys.revoke(all[0]?.id ?? 0);
    await keys.ensure(given, 'operator', 'bootstrap');
    expect(await createApiKeys(db.pool).authenticate(given)).toBeUndefined();
  });
});

describe('npm run api-key', () => {
  test('shows a key once, when it is made', async ({ db }) => {
    const { stdout: made } = await run(db.settings, 'create', '--role', 'loadtest', '--name', 'nightly');
    const key = /^atk_\S+$/m.exec(made)?.[0] ?? '';
    expect(await createApiKeys(db.pool).authenticate(key)).toMatchObject({ kind: 'loadtest', name: 'nightly' });
    const { stdout: listed } = await run(db.settings, 'list');
    expect(listed).toMatch(/^1 {2}loadtest {2}nightly {2}last used /);
    expect(listed).not.toContain(key);
    await run(db.settings, 'revoke', '1');
    expect(await createApiKeys(db.pool).authenticate(key)).toBeUndefined();
    await expect(run(db.settings, 'revoke', '1')).rejects.toMatchObject({
      status: 1,
      message: expect.stringContaining('no key 1') as string,
    });
  });

  test.for([
    ['no role', ['create', '--name', 'x']],
    ['an id that is no number', ['revoke', 'one']],
    ['a scope that a load test cannot have', ['create', '--role', 'loadtest', '--name', 'x', '--scope', 'read']],
    ['days that are none', ['create', '--role', 'operator', '--name', 'x', '--expires', '0']],
  ] as const)('with %s is refused in one line', async ([, args], { db }) => {
    await expect(run(db.settings, ...args)).rejects.toMatchObject({
      status: 64,
      stderrTail: expect.stringMatching(/^error: .*$/) as string,
    });
  });
});

function recordAdmissions(): { asked: unknown[]; admit: Admit } {
  const asked: unknown[] = [];
  return { asked, admit: async (claimed) => void asked.push(claimed) };
}

function run(settings: PostgresSettings, ...args: readonly string[]): Promise<{ stdout: string }> {
  const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  return runCommand(
    { file: process.execPath, args: ['api/auth/cli.ts', ...args], env: { ...env, ...compiledOnce } },
    { timeoutMs: 20_000 },
  );
}
