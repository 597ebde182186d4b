import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#lib/logger.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { TargetSnapshot, Watch } from '#monitor/health/watch.ts';
import { systemClock, type HealthStatus } from '#monitor/model/look.ts';
import { openSigner } from '#monitor/quiet/signature.ts';
import { createAccess } from '#monitor/status-page/access.ts';
import { createSnapshotTaker } from '#monitor/status-page/status-snapshot.ts';
import { startStatusServer } from '#monitor/status-page/status-server.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { operatorPassword } from '#test/support/operator.ts';
import { seedHistory, seededTargets } from './seed-history.ts';

export type SeededPage = {
  readonly url: string;
  readonly port: number;
  /** From now on the first targets are in these states, in this order; the others are up. */
  readonly show: (statuses: readonly HealthStatus[]) => void;
  readonly close: () => Promise<void>;
};

const refuse = (): never => {
  throw new Error('nothing is changed here');
};

/** The pages over 400 days of 12 targets and 3,000 incidents, without a monitor that watches anything. */
export async function startSeeded({ host = '127.0.0.1', port = 0 } = {}): Promise<SeededPage> {
  const dir = mkdtempSync(join(tmpdir(), 'atalaya-page-'));
  const store = createStore(openDatabase(join(dir, 'monitor.db')));
  const now = Date.now();
  seedHistory(store, now);
  let shown: readonly HealthStatus[] = [];
  const silence = { number: 1, targets: ['target-1'], startsAt: now, endsAt: now + 3_600_000, by: 'Ana', reason: 'release 42' };
  const planned = {
    targets: ['target-2'],
    timeZone: 'UTC',
    date: undefined,
    days: [0, 1, 2, 3, 4, 5, 6],
    minuteOfDay: 0,
    forMs: 86_400_000,
  };
  const channel = { channel: 'slack', pending: 0, oldestPendingAt: undefined, failed: 0, lastSentAt: now, lastError: undefined };
  const takeSnapshot = createSnapshotTaker({
    watch: { snapshot: () => seededTargets.map((name, index) => targetOf(name, shown[index] ?? 'up', now)) } as unknown as Watch,
    store,
    silences: { inForce: () => [silence] } as never,
    maintenance: [{ name: 'nightly', ...planned }],
    channels: () => [
      { ...channel, brokenSince: undefined },
      { ...channel, channel: 'email', failed: 2, lastError: '550 no such user', brokenSince: now - 60_000 },
    ],
    storeFault: () => undefined,
    settingsFault: () => undefined,
    backupJob: undefined,
    backupSchedule: '02:00',
    clock: systemClock,
  });
  const signer = openSigner(dir);
  const server = await startStatusServer({
    host,
    port,
    takeSnapshot,
    control: { signer, obey: refuse, hear: refuse, takeNonce: refuse, incident: refuse },
    access: createAccess({ password: () => operatorPassword, signer, isSecure: false }),
    records: store,
    latencies: store.latencies,
    origin: `http://${host}`,
    logger: createLogger('seeded', { LOG_LEVEL: 'error', LOG_FORMAT: 'text' }),
  });
  return {
    url: `http://${host}:${server.port}`,
    port: server.port,
    show: (statuses) => void (shown = statuses),
    close: async () => {
      await server.close();
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function targetOf(name: string, status: HealthStatus, now: number): TargetSnapshot {
  const since = { at: now - 7_200_000, clockMs: 0 };
  const recent = Array.from({ length: 60 }, (_, index) => {
    const outcome = index < 59 || status === 'up' ? 'ok' : status === 'degraded' ? 'degraded' : status === 'down' ? 'failed' : 'faulty';
    const facts = outcome === 'ok' ? [] : [['Says of itself', 'checks.database is critical'] as const];
    return {
      outcome,
      detail: outcome === 'ok' ? 'HTTP 200' : 'HTTP 503',
      facts,
      latencyMs: 20 + ((index * 7) % 13),
      at: now,
      clockMs: index,
    } as const;
  });
  return {
    name,
    kind: 'http',
    dependsOn: name === 'target-1' ? [['target-0']] : [],
    isLatencyPublic: true,
    cadence: { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
    status,
    health: { ...initialHealth(status === 'unknown' ? 'none' : status, since), recent },
    incidents: [],
    detectionBoundMs: 18_000,
  };
}
