import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['backups/cli.ts', ...args], {
    env: { PATH: process.env['PATH'], POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', BACKUP_DIR: '/nonexistent/sets', ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.each([
  [['frob'], 'error: unknown command "frob"; known: take, list, verify, expire, restore.'],
  [['verify'], 'error: verify: an argument is missing'],
  [['restore', 'latest'], 'error: restore: --target DB is missing'],
  [['take', '--volume'], "error: take: Unknown option '--volume'"],
])('%j is refused as misuse with 64, in one line', (args, message) => {
  const { status, stderr } = run(args);
  expect([status, stderr.trim().split('\n')]).toEqual([64, [expect.stringContaining(message)]]);
});

test('settings that cannot be used are all named at once, with 78 and without the password', () => {
  const { status, stderr } = run(['take'], { POSTGRES_PORT: 'abc', BACKUP_KEEP_MIN: '0', POSTGRES_PASSWORD: 'hush' });
  expect([status, stderr.trim().split('\n')]).toEqual([
    78,
    [expect.stringContaining('POSTGRES_PORT=abc'), expect.stringContaining('BACKUP_KEEP_MIN=0')],
  ]);
  expect(stderr).not.toContain('hush');
});

test('--help names every command and exit code, and needs no settings', () => {
  const { status, stdout } = run(['--help'], { POSTGRES_PORT: 'abc' });
  expect(status).toBe(0);
  for (const word of ['take', 'list', 'verify ID|latest', 'expire [--dry-run]', '--target DB', '69 database unreachable', '75 busy']) {
    expect(stdout).toContain(word);
  }
});

test('list of a folder that does not exist is empty and needs no database', () => {
  expect(run(['list'])).toEqual({ status: 0, stdout: 'no backups in /nonexistent/sets\n', stderr: '' });
  expect(run(['list', '--json'])).toMatchObject({ status: 0, stdout: '[]\n' });
});
