import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '#lib/exit-codes.ts';

test.each([
  ['run --rounds none', '--rounds none must be a whole number from 1 to 100'],
  ['curve connections --seconds 0', '--seconds 0 must be a whole number from 1 to 600'],
  ['profile --connections 1.5', '--connections 1.5 must be a whole number from 1 to 5000'],
  ['memory --requests 0', '--requests 0 must be a whole number from 1 to 1000000000'],
  ['overload --seconds 1e3', '--seconds 1e3 must be a whole number from 1 to 600'],
  ['growth --sizes 1000,5', '--sizes 5 must be a whole number from 1000 to 10000000'],
  ['routes --rounds 101', '--rounds 101 must be a whole number from 1 to 100'],
  ['backup --lines many', '--lines many must be a whole number from 1 to 1000'],
])('bench %s is refused in a line before anything starts', (given, said) => {
  const args = [resolve('bench/cli.ts'), ...given.split(' ')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  expect([status, stderr]).toEqual([EXIT.usage, `error: ${said}\n`]);
});
