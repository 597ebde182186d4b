import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '#lib/logger.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { TargetSnapshot, Watch } from '#monitor/health/watch.ts';
import { systemClock } from '#monitor/model/look.ts';
import { openSigner } from '#monitor/quiet/signature.ts';
import { createAccess } from '#monitor/status-page/access.ts';
import { startStatusServer } from '#monitor/status-page/status-server.ts';
import { createSnapshotTaker } from '#monitor/status-page/status-snapshot.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { asOperator, operatorPassword } from '#test/support/operator.ts';
import { seedHistory, seededTargets } from './seed-history.ts';

/**
 * How long the pages take over 400 days of 12 targets and 3,000 incidents: `npm run monitor:page [-- REQUESTS]`. `changed` are requests
 * of which each finds something new, so that nothing made before serves; `busy` come one after the other, as fast as answers do.
 */
const requests = Number(process.argv[2] ?? 300);
const changes = 8;
const paths = [
  '/',
  '/history',
  '/api/status',
  '/api/history',
  '/feed.atom',
  '/badge/uptime/target-1.svg',
  '/incidents',
  '/incidents?target=target-3',
  '/targets/target-3',
  '/api/latency/target-3',
];
const guarded = [
  '/operator',
  '/operator/targets/target-3',
  '/operator/targets/target-3?range=90d',
  '/api/operator/latency/target-3',
  '/api/operator/status',
  '/operator/incidents?kind=down',
  '/operator/incidents/target-1-1500',
  '/metrics',
];

const dir = mkdtempSync(join(tmpdir(), 'atalaya-page-'));
const store = createStore(openDatabase(join(dir, 'monitor.db')));
seedHistory(store, Date.now());

let isDown = false;
const targets = (): TargetSnapshot[] =>
  seededTargets.map((name, index) => ({
    name,
    kind: 'http',
    dependsOn: [],
    isLatencyPublic: true,
    cadence: { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
    status: isDown && index === 0 ? 'down' : 'up',
    health: initialHealth('up', systemClock()),
    incidents: [],
    detectionBoundMs: 18_000,
  }));
const takeSnapshot = createSnapshotTaker({
  watch: { snapshot: targets } as unknown as Watch,
  store,
  silences: { inForce: () => [] } as never,
  maintenance: [],
  channels: () => [],
  storeFault: () => undefined,
  settingsFault: () => undefined,
  backupJob: undefined,
  backupSchedule: '02:00',
  clock: systemClock,
});
const signer = openSigner(dir);
const refuse = (): never => {
  throw new Error('nothing is changed here');
};
const server = await startStatusServer({
  host: '127.0.0.1',
  port: 0,
  takeSnapshot,
  control: { signer, obey: refuse, hear: refuse, takeNonce: refuse, incident: refuse },
  access: createAccess({ password: () => operatorPassword, signer, isSecure: false }),
  records: store,
  latencies: store.latencies,
  origin: 'http://127.0.0.1',
  logger: createLogger('measure', { LOG_LEVEL: 'error', LOG_FORMAT: 'text' }),
});

async function timeOf(path: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: asOperator });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} is answered ${response.status}`);
  return performance.now() - startedMs;
}

const percentile = (times: readonly number[], share: number): string =>
  (times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? Number.NaN).toFixed(1).padStart(7);

process.stdout.write(`${'ms'.padEnd(36)} changed: p50     max    busy: p50     p95     max\n`);
for (const path of [...paths, ...guarded]) {
  await timeOf(path);
  const [changed, busy]: [number[], number[]] = [[], []];
  for (let change = 0; change < changes; change += 1) {
    isDown = !isDown;
    // What everybody sees is taken anew after a second.
    await sleep(1_010);
    changed.push(await timeOf(path));
  }
  for (let request = 0; request < requests; request += 1) busy.push(await timeOf(path));
  const [cold, warm] = [[0.5, 1].map((share) => percentile(changed, share)), [0.5, 0.95, 1].map((share) => percentile(busy, share))];
  process.stdout.write(`${path.padEnd(40)} ${cold.join(' ')}      ${warm.join(' ')}\n`);
}
await server.close();
store.close();
rmSync(dir, { recursive: true, force: true });
