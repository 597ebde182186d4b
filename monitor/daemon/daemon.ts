import type { Logger } from '#lib/logger.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import { configuredChannels } from './channels.ts';
import { createDeliveryLoop, type DeliveryLoop } from '../alerts/deliver.ts';
import { createBackupJob } from '../backup/job.ts';
import { backupSteps } from '../backup/steps.ts';
import type { MonitorSettings } from '../config/config.ts';
import { noFailPoint, type ReachFailPoint } from '../fail-point.ts';
import { createWatch } from '../health/watch.ts';
import { runJobs } from './jobs.ts';
import { createHostResolver } from '../probes/resolve-host.ts';
import { systemClock } from '../health/run-probe.ts';
import { createSnapshotTaker } from '../status-page/status-snapshot.ts';
import { startStatusServer } from '../status-page/status-server.ts';
import { openOrReplaceDatabase } from '../store/database.ts';
import { createStore } from '../store/open-store.ts';
import { takeProcessLock } from '../store/process-lock.ts';
import type { MonitorStore } from '../store/store.ts';
import { createTargets } from './targets.ts';

export type Daemon = {
  /** Port of the status page. */
  readonly port: number;
  /** Rejects when a part ends that never should. */
  readonly failed: Promise<never>;
  /** Ends every part in order, within `stopDeadlineMs`. */
  readonly stop: () => Promise<void>;
};

const stopDeadlineMs = 9_000;
const dayMs = 86_400_000;
/** Messages given up in this time are tried again at a start, since the configuration may have been mended. */
const requeuedMs = dayMs;

/**
 * Starts the monitor: its lock, its store, the status page, the watch, one delivery loop a channel, the backup job.
 * What was opened is closed again when a later part cannot start.
 * @throws {BusyError} another monitor holds the folder · {ConfigError} the port is in use · {StoreError}
 */
export async function startDaemon(
  settings: MonitorSettings,
  logger: Logger,
  reachFailPoint: ReachFailPoint = noFailPoint,
): Promise<Daemon> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => void (await closeInOrder(closers.toReversed(), stopDeadlineMs, logger));
  try {
    const store = openStore(settings, logger, closers);
    const parts = createParts(settings, logger, { store, reachFailPoint });
    const { MONITOR_HOST: host, MONITOR_PORT: port } = settings.env;
    const server = await startStatusServer({ host, port, takeSnapshot: parts.takeSnapshot, logger });
    closers.push({ name: 'status page', close: server.close });
    const stopping = new AbortController();
    const running = parts.run(stopping.signal);
    closers.push({
      name: 'watch and delivery',
      close: async () => {
        stopping.abort('the monitor stops');
        await running.catch(() => {});
      },
    });
    const failed = running.then(() => new Promise<never>(() => {}));
    failed.catch(() => {});
    return { port: server.port, failed, stop: close };
  } catch (err) {
    await close();
    throw err;
  }
}

function openStore(settings: MonitorSettings, logger: Logger, closers: Closer[]): MonitorStore {
  const now = new Date();
  const dir = settings.env.MONITOR_DATA_DIR;
  const lock = takeProcessLock(dir, now);
  closers.push({ name: 'process lock', close: lock.release });
  const { connection, setAside } = openOrReplaceDatabase(dir, now);
  if (setAside !== undefined) logger.error({ file: setAside }, 'the store was damaged; it was set aside and a new one begun');
  const store = createStore(
    connection,
    configuredChannels(settings.env).map(({ name }) => name),
  );
  closers.push({ name: 'store', close: store.close });
  const requeued = store.outbox.requeueFailed(now.getTime() - requeuedMs);
  if (requeued > 0) logger.warn({ requeued }, 'messages that were given up are tried again');
  return store;
}

type Parts = {
  readonly takeSnapshot: ReturnType<typeof createSnapshotTaker>;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

type StoreAndFailPoint = { readonly store: MonitorStore; readonly reachFailPoint: ReachFailPoint };

function createParts(settings: MonitorSettings, logger: Logger, { store, reachFailPoint }: StoreAndFailPoint): Parts {
  const { env } = settings;
  const backupJob = env.BACKUP_ENABLED
    ? createBackupJob({ time: env.BACKUP_SCHEDULE_UTC, steps: backupSteps(env), jobRuns: store.jobRuns, now: Date.now, logger })
    : undefined;
  const loops = createLoops(settings, logger, { store, reachFailPoint });
  const watch = createWatch({
    targets: createTargets(settings, backupJob, createHostResolver()),
    store,
    clock: systemClock,
    onAlerts: () => loops.forEach((loop) => loop.wake()),
    reachFailPoint,
    logger,
  });
  return {
    takeSnapshot: createSnapshotTaker({
      watch,
      store,
      channels: configuredChannels(env).map(({ name }) => name),
      backupJob,
      backupSchedule: shownTime(env.BACKUP_SCHEDULE_UTC),
      clock: systemClock,
    }),
    run: async (signal) => {
      const jobs = runJobs({ store, watch, backupJob, settleMs: settings.backups.settleMs, logger }, signal);
      await Promise.all([watch.run(signal), ...loops.map((loop) => loop.run(signal)), jobs]);
    },
  };
}

function createLoops(settings: MonitorSettings, logger: Logger, { store, reachFailPoint }: StoreAndFailPoint): readonly DeliveryLoop[] {
  const channels = configuredChannels(settings.env);
  if (channels.length === 0) logger.warn('no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL');
  return channels.map((channel) =>
    createDeliveryLoop({
      channel,
      outbox: store.outbox,
      backoff: { ...settings.delivery, jitter: 0.5 },
      now: Date.now,
      random: Math.random,
      reachFailPoint,
      logger,
    }),
  );
}

const shownTime = ({ hour, minute }: { readonly hour: number; readonly minute: number }): string =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
