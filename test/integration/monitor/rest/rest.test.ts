import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '#test/support/database.ts';
import { hasRedis } from '#test/support/redis.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { startSurroundings } from './surroundings.ts';
import { usageOf } from './usage.ts';

const isPossible = process.platform === 'linux' && hasRedis && spawnSync('openssl', ['version']).status === 0;
const targets = [
  'disk',
  'postgresql',
  'redis',
  'api-a',
  'api-b',
  'nginx',
  'site',
  'certificate',
  'names',
  'errors-a',
  'errors-b',
  'availability',
  'logs-a',
  'logs-b',
  'backups',
];

test.skipIf(!isPossible)('the monitor takes less than 80 MB beside everything compose has it watch, from its first start', async () => {
  const [dir, database] = await Promise.all([temporaryFolder(), createDatabase()]);
  onTestFinished(database.drop);
  const { env, monitorPort, stop } = await startSurroundings(dir, database.settings);
  onTestFinished(stop);
  const child = spawn(process.execPath, [resolve('monitor/main.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  await new Promise<void>((resolved) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (targets.every((name) => output.includes(`"probe":"${name}","from":"unknown","to":"up"`))) resolved();
    });
  });
  expect((await fetch(`http://127.0.0.1:${monitorPort}/healthz`)).status).toBe(200);
  expect(usageOf(child.pid ?? 0).residentBytes).toBeLessThan(80_000_000);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
});
