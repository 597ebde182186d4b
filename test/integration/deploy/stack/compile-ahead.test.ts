import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { compileAhead } from '#deploy/local/stack/parts.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../../../..');

test('the processes of the API find all their sources stripped of types, and need no compiler for that', async () => {
  const env = { ...cleanEnvironment(), NODE_COMPILE_CACHE: await temporaryFolder() };
  await compileAhead({ programEnv: env }, new AbortController().signal);
  for (const [entry = '', ...args] of [['api/main.ts', '--help'], ['api/worker.ts']]) {
    const told = { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, entry), ...args], {
      env: told,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    const looks = `${stdout}\n${stderr}`.split('\n').filter((line) => / transpile cache for StrippedTypeScript /.test(line));
    expect(looks.length).toBeGreaterThan(10);
    expect(looks.filter((line) => line.includes('] no transpile cache'))).toEqual([]);
  }
});
