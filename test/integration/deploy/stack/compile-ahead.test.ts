import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { compileAhead } from '#deploy/local/stack/parts.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../../../..');

/** What a process says of the types it had to strip, and of those it found stripped. */
function looksOf(args: readonly string[], env: Readonly<Record<string, string>>): string[] {
  const told = { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
  const { stdout, stderr } = spawnSync(process.execPath, args, { env: told, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return `${stdout}\n${stderr}`.split('\n').filter((line) => / transpile cache for StrippedTypeScript /.test(line));
}

test('the processes of the API find all their sources stripped of types, and need no compiler for that', async () => {
  const env = { ...cleanEnvironment(), NODE_COMPILE_CACHE: await temporaryFolder() };
  await compileAhead({ programEnv: env }, new AbortController().signal);
  for (const [entry = '', ...args] of [['api/main.ts', '--help'], ['api/worker.ts']]) {
    const looks = looksOf([join(root, entry), ...args], env);
    expect(looks.length).toBeGreaterThan(10);
    expect(looks.filter((line) => line.includes('] no transpile cache'))).toEqual([]);
  }
});

test('so does the process that keeps the parts running, on the first start of a clone too', async () => {
  const clone = await temporaryFolder();
  for (const name of ['deploy', 'lib', 'package.json']) await cp(join(root, name), join(clone, name), { recursive: true });
  await mkdir(join(clone, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== '.cache') await symlink(join(root, 'node_modules', name), join(clone, 'node_modules', name));
  const looks = looksOf([join(clone, 'deploy/local/start.mjs')], { ...cleanEnvironment(), LOCAL_POSTGRES_PORT: 'no port' });
  expect(looks.length).toBeGreaterThan(10);
  expect(looks.filter((line) => line.includes('] no transpile cache'))).toEqual([]);
});
