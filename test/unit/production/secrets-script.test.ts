import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommand } from '#lib/run-command.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { madeSecrets, optionalSecrets } from './compose-file.ts';

type Laid = { readonly said: string; readonly env: string; readonly folder: string; readonly secret: (name: string) => Promise<string> };

/** Runs deploy/docker/secrets.sh on an env file that holds these lines. */
async function layOut(folder: string, lines?: string): Promise<Laid> {
  const file = join(folder, '.env.production');
  if (lines !== undefined) await writeFile(file, lines);
  const { stdout: said } = await runCommand({ file: 'sh', args: ['deploy/docker/secrets.sh', file] }, { timeoutMs: 10_000 });
  const secret = (name: string): Promise<string> => readFile(join(folder, 'secrets', name), 'utf8');
  return { said, env: await readFile(file, 'utf8'), folder: join(folder, 'secrets'), secret };
}

const valueIn = (env: string, name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(env)?.[1];

describe('deploy/docker/secrets.sh', () => {
  test('makes every secret that has no value, names it, and prints no value', async () => {
    const { said, env, secret } = await layOut(await temporaryFolder(), 'POSTGRES_PASSWORD=mine!\nREDIS_PASSWORD=\nRATE_LIMIT_CALLS=7');
    const made = madeSecrets.filter((name) => name !== 'POSTGRES_PASSWORD');
    expect(said).toContain(`made: ${made.join(' ')}\n`);
    for (const name of made) {
      expect(valueIn(env, name)).toMatch(/^[0-9a-f]{64}$/);
      expect(await secret(name.toLowerCase())).toBe(valueIn(env, name));
      expect(said).not.toContain(valueIn(env, name));
    }
    expect(new Set(made.map((name) => valueIn(env, name))).size).toBe(made.length);
    expect(env).toMatch(/^POSTGRES_PASSWORD=mine!\nREDIS_PASSWORD=\w+\nRATE_LIMIT_CALLS=7\n/);
  });

  test('changes nothing when it is run again', async () => {
    const folder = await temporaryFolder();
    const first = await layOut(folder, 'POSTGRES_PASSWORD=x\n');
    const second = await layOut(folder);
    expect(second.env).toBe(first.env);
    expect(second.said).toContain('every secret had a value');
  });

  test.each([
    ['smtp://user:p#1@mail:587', 'smtp://user:p#1@mail:587'],
    ["'a $b # c'", 'a $b # c'],
    ['"quoted"  ', 'quoted'],
    ['plain # a comment', 'plain'],
    ['', ''],
  ])('reads a value as Compose does: %s', async (line, value) => {
    const { secret } = await layOut(await temporaryFolder(), `SMTP_URL=${line}\n`);
    await expect(secret('smtp_url')).resolves.toBe(value);
  });

  test('leaves empty what nobody can make, as a file that counts as not set', async () => {
    const { folder, secret } = await layOut(await temporaryFolder(), '');
    const names = [...madeSecrets, ...optionalSecrets].map((name) => name.toLowerCase());
    expect((await readdir(folder)).toSorted()).toEqual(names.toSorted());
    await expect(Promise.all(optionalSecrets.map((name) => secret(name.toLowerCase())))).resolves.toEqual(optionalSecrets.map(() => ''));
  });

  test('marks a change, and writes it into the file that is mounted', async () => {
    const folder = await temporaryFolder();
    const before = await layOut(folder, 'REDIS_PASSWORD=old\n');
    const { ino } = await stat(join(before.folder, 'redis_password'));
    const after = await layOut(folder, before.env.replace('REDIS_PASSWORD=old', 'REDIS_PASSWORD=new'));
    expect(await after.secret('redis_password')).toBe('new');
    expect((await stat(join(after.folder, 'redis_password'))).ino).toBe(ino);
    expect(valueIn(after.env, 'SECRETS_STAMP')).not.toBe(valueIn(before.env, 'SECRETS_STAMP'));
    expect(valueIn(after.env, 'SECRETS_DIR')).toBe(after.folder);
  });

  test('works in a folder of any name', async () => {
    const folder = join(await temporaryFolder(), 'a shop & | more');
    await mkdir(folder);
    const first = await layOut(folder, '');
    const second = await layOut(folder);
    expect(valueIn(second.env, 'SECRETS_DIR')).toBe(join(folder, 'secrets'));
    expect(second.env).toBe(first.env);
  });

  test('closes the file and the folder to other users, and begins from the example', async () => {
    const folder = await temporaryFolder();
    const { env } = await layOut(folder);
    expect((await stat(join(folder, '.env.production'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'secrets'))).mode & 0o777).toBe(0o700);
    expect(valueIn(env, 'POSTGRES_DB')).toBe('ecommerce_prod');
  });
});
