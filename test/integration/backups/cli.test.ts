import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { missingClient, openShop, runCli } from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

test('take, verify latest and list end with 0; after one byte of the dump is flipped, verify ends with 1 and names the file', async () => {
  const deps = await openShop();
  const taken = await runCli(deps, ['take', '--json']);
  expect(taken).toMatchObject({ status: 0, stderr: '' });
  const { id, path } = JSON.parse(taken.stdout) as { id: string; path: string };
  expect(await runCli(deps, ['verify', 'latest'])).toMatchObject({ status: 0, stdout: expect.stringContaining(`backup ${id} verified`) });
  const listed = await runCli(deps, ['list', '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ id, state: 'verified' }]);

  const dump = join(path, 'database.dump');
  const bytes = await readFile(dump);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(dump, bytes);
  const verified = await runCli(deps, ['verify', 'latest']);
  expect(verified).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error: database\.dump: the SHA-256 differs/) });
  expect(await runCli(deps, ['list'])).toMatchObject({ status: 0, stdout: expect.stringContaining('failed') });
});

test('expire --dry-run says what would go and why, and restore makes the target', async () => {
  const deps = await openShop();
  await runCli(deps, ['take']);
  expect(await runCli(deps, ['expire', '--dry-run'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^keep \d{8}T\d{6}Z: within BACKUP_KEEP_DAYS\n$/),
  });
  const occupied = await runCli(deps, ['restore', 'latest', '--target', deps.postgres.POSTGRES_DB]);
  expect(occupied).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error: database ".*" is not empty .*--force.*\n$/) });
});
