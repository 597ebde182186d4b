import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { slopeOf } from '#loadtest/judge/growth.ts';
import { freePort } from '#test/support/free-port.ts';
import { startSurroundings } from './surroundings.ts';
import { usageOf } from './usage.ts';

/**
 * What the monitor takes at rest, minute by minute: `npm run monitor:rest [-- MINUTES]`. It watches all that
 * deploy/docker/monitor.yaml names, takes its first backup in the second minute, and is asked how it is every 15 s, as compose does.
 * Exits 1 when it takes 80 MB or half a percent of a core, or can be told to grow in the second half of the time (99.9 %). It keeps the
 * last sixty looks at each target, some of which are a minute apart: until an hour is over it grows by those, so two tell whether it does.
 */
const [mostBytes, mostCpuShare] = [80e6, 0.005];
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
const first = usageOf(pid);
const looks: { readonly second: number; readonly bytes: number }[] = [];
let before = first;
for (let minute = 1; minute <= minutes; minute += 1) {
  for (let quarter = 1; quarter <= 4; quarter += 1) {
    await sleep(15_000);
    await fetch(`http://127.0.0.1:${around.monitorPort}/healthz`);
    looks.push({ second: minute * 60 - 60 + quarter * 15, bytes: usageOf(pid).residentBytes });
  }
  const now = usageOf(pid);
  const cpuShare = (now.cpuMs - before.cpuMs) / 60_000;
  const columns = [minute, (now.residentBytes / 1e6).toFixed(1), (now.ownBytes / 1e6).toFixed(1), (cpuShare * 100).toFixed(2)];
  process.stdout.write(`${columns.map((column, index) => String(column).padStart([6, 11, 16, 6][index] ?? 0)).join('  ')}\n`);
  before = now;
}
const settled = looks.slice(Math.floor(looks.length / 2));
const [most, slope] = [Math.max(...looks.map(({ bytes }) => bytes)), slopeOf(settled)];
const cpuShare = (before.cpuMs - first.cpuMs) / (minutes * 60_000);
process.stdout.write(
  `at most ${(most / 1e6).toFixed(1)} MB, ${(cpuShare * 100).toFixed(2)} % of a core; ${Math.round(slope.median)} B/s in the second half, ` +
    `${slope.least > 0 ? `at least ${Math.round(slope.least)}: it grows` : 'which may be none'}\n`,
);
process.exitCode = most < mostBytes && cpuShare < mostCpuShare && slope.least <= 0 ? EXIT.done : EXIT.failed;
monitor.kill('SIGTERM');
await once(monitor, 'close');
await around.stop();
await postgres.stop();
rmSync(dir, { recursive: true, force: true });
