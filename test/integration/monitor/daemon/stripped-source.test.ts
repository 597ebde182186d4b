import { spawnSync } from 'node:child_process';
import { cp, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

test('a source that changed is loaded as it is now, though its time of change stayed as in an image whose times are all alike', async () => {
  const root = await temporaryFolder();
  for (const name of ['monitor', 'backups', 'lib', 'package.json']) await cp(resolve(name), join(root, name), { recursive: true });
  await symlink(resolve('node_modules'), join(root, 'node_modules'));
  const startWithout = (): string => {
    const env = { ...cleanEnvironment(), MONITOR_DATA_DIR: join(root, 'data'), MONITOR_CONFIG: join(root, 'missing.yaml') };
    return spawnSync(process.execPath, ['monitor/main.mjs'], { cwd: root, env, encoding: 'utf8', timeout: 30_000 }).stderr;
  };
  expect(startWithout()).toContain('missing.yaml');

  const file = join(root, 'lib/command-line.ts');
  const { atime, mtime } = await stat(file);
  const text = await readFile(file, 'utf8');
  const changed = text.replace('`error: ', '`another version: ');
  expect(changed).not.toBe(text);
  await writeFile(file, changed);
  await utimes(file, atime, mtime);
  expect(startWithout()).toContain('another version: ');
});
