import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { freePort } from '#test/support/free-port.ts';
import { startSurroundings } from './surroundings.ts';
import { usageOf } from './usage.ts';

/**
 * What the monitor takes at rest, minute by minute: `npm run monitor:rest [-- MINUTES]`. It watches all that
 * deploy/docker/monitor.yaml names, takes its first backup in the second minute, and is asked how it is every 15 s, as compose does.
 */
const minutes = Number(process.argv[2] ?? 10);
const dir = mkdtempSync(join(tmpdir(), 'atalaya-rest-'));
const account = { user: 'atalaya', password: 'rest-password' };
const port = await freePort();
const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), port, ...account });
const settings = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: port, POSTGRES_DB: 'postgres' };
const around = await startSurroundings(dir, { ...settings, POSTGRES_USER: account.user, POSTGRES_PASSWORD: account.password });
const monitor = spawn(process.execPath, [resolve('monitor/main.mjs')], { env: around.env, stdio: ['ignore', 'ignore', 'inherit'] });
const pid = monitor.pid ?? 0;

process.stdout.write('minute  resident MB  of it its own MB  CPU %\n');
let before = usageOf(pid);
for (let minute = 1; minute <= minutes; minute += 1) {
  for (let quarter = 0; quarter < 4; quarter += 1) {
    await sleep(15_000);
    await fetch(`http://127.0.0.1:${around.monitorPort}/healthz`);
  }
  const now = usageOf(pid);
  const cpuShare = (now.cpuMs - before.cpuMs) / 60_000;
  const columns = [minute, (now.residentBytes / 1e6).toFixed(1), (now.ownBytes / 1e6).toFixed(1), (cpuShare * 100).toFixed(2)];
  process.stdout.write(`${columns.map((column, index) => String(column).padStart([6, 11, 16, 6][index] ?? 0)).join('  ')}\n`);
  before = now;
}
monitor.kill('SIGTERM');
await once(monitor, 'close');
await around.stop();
await postgres.stop();
rmSync(dir, { recursive: true, force: true });
