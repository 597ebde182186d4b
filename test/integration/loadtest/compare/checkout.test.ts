import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test as base } from 'vitest';
import { checkOut } from '#loadtest/compare/checkout.ts';

type Repository = { readonly dir: string; readonly git: (...args: string[]) => string };

/** A repository of two commits, with packages installed. */
const test = base.extend<{ repository: Repository }>({
  repository: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-checkout-'));
    const env = { PATH: process.env['PATH'], HOME: dir };
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: dir, env, encoding: 'utf8' }).trim();
    git('init', '--quiet', '--initial-branch=main');
    git('config', 'user.name', 'T');
    git('config', 'user.email', 't@example.com');
    for (const text of ['old', 'new']) {
      await writeFile(join(dir, 'shop.txt'), text);
      git('add', 'shop.txt');
      git('commit', '--quiet', '-m', text);
    }
    await mkdir(join(dir, 'node_modules/left'), { recursive: true });
    await use({ dir, git });
    await rm(dir, { recursive: true });
  },
});

test('lays out the source at a ref, with the installed packages, beside what is being worked on', async ({ repository: { dir } }) => {
  await writeFile(join(dir, 'shop.txt'), 'not committed');
  const checkout = await checkOut('HEAD~1', dir);
  expect(await readFile(join(checkout.dir, 'shop.txt'), 'utf8')).toBe('old');
  expect(existsSync(join(checkout.dir, 'node_modules/left'))).toBe(true);
  expect(await readFile(join(dir, 'shop.txt'), 'utf8')).toBe('not committed');
  await checkout.remove();
});

test('removed again, nothing of it is left, and the packages are where they were', async ({ repository: { dir, git } }) => {
  const checkout = await checkOut('main', dir);
  await checkout.remove();
  expect(existsSync(dirname(checkout.dir))).toBe(false);
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  expect(existsSync(join(dir, 'node_modules/left'))).toBe(true);
});

test('a ref there is not is a mistake of usage, and leaves nothing', async ({ repository: { dir, git } }) => {
  await expect(checkOut('release-9', dir)).rejects.toThrow(/^the source at release-9 could not be laid out: .*release-9/);
  await expect(checkOut('release-9', dir)).rejects.toMatchObject({ exitCode: 64 });
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);
});
