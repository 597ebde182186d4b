import type { Logger } from '#lib/logger.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import { configuredChannels } from './channels.ts';
import type { Channel } from '../alerts/channel.ts';
import { createDeliveryLoop, type DeliveryLoop } from '../alerts/deliver.ts';
import { createOutbox, type Outbox } from '../alerts/outbox.ts';
import { brokenSince } from '../alerts/pace.ts';
import { createBackupJob } from '../backup/job.ts';
import { backupSteps } from '../backup/steps.ts';
import type { MonitorSettings } from '../config/config.ts';
import { createWatch } from '../health/watch.ts';
import { runJobs } from './jobs.ts';
import type { ChannelState } from '../model/alert.ts';
import { systemClock } from '../model/look.ts';
import { createHostResolver } from '../probes/resolve-host.ts';
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

/** What tests put around store and channels; in production nothing. */
export type Decorations = {
  readonly store: (store: MonitorStore) => MonitorStore;
  readonly channel: (channel: Channel) => Channel;
};

const noDecorations: Decorations = { store: (store) => store, channel: (channel) => channel };

const stopDeadlineMs = 9_000;
const dayMs = 86_400_000;
/** Messages given up in this time are tried again at a start, since the configuration may have been mended. */
const requeuedMs = dayMs;

/**
 * Starts the monitor: its lock, its store, the status page, the watch, one delivery loop a channel, the backup job.
 * What was opened is closed again when a later part cannot start.
 * @throws {BusyError} another monitor holds the folder · {ConfigError} the port is in use · {StoreError}
 */
export async function startDaemon(settings: MonitorSettings, logger: Logger, decorate: Decorations = noDecorations): Promise<Daemon> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => void (await closeInOrder(closers.toReversed(), stopDeadlineMs, logger));
  try {
    const store = decorate.store(openStore(settings, logger, closers));
    const parts = createParts(settings, logger, { store, decorate });
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
  const store = createStore(connection);
  closers.push({ name: 'store', close: store.close });
  return store;
}

type Parts = {
  readonly takeSnapshot: ReturnType<typeof createSnapshotTaker>;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

type StoreAndDecorations = { readonly store: MonitorStore; readonly decorate: Decorations };

function createParts(settings: MonitorSettings, logger: Logger, { store, decorate }: StoreAndDecorations): Parts {
  const { env } = settings;
  const backupJob = env.BACKUP_ENABLED
    ? createBackupJob({ time: env.BACKUP_SCHEDULE_UTC, steps: backupSteps(env), jobRuns: store.jobRuns, now: Date.now, logger })
    : undefined;
  const channels = configuredChannels(env).map((channel) => decorate.channel(channel));
  const outbox = createOutbox({ store, clock: systemClock, logger });
  const loops = createLoops(settings, logger, { outbox, channels });
  outbox.onQueued(() => loops.forEach((loop) => loop.wake()));
  outbox.serve(
    channels.map(({ name }) => name),
    Date.now() - requeuedMs,
  );
  const watch = createWatch({
    targets: createTargets(settings, backupJob, createHostResolver()),
    flap: settings.flap,
    store,
    commit: outbox.commit,
    clock: systemClock,
    logger,
  });
  return {
    takeSnapshot: createSnapshotTaker({
      watch,
      store,
      channels: () => loops.map((loop) => channelState(loop, outbox, store)),
      storeFault: outbox.storeFault,
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

function createLoops(
  settings: MonitorSettings,
  logger: Logger,
  { outbox, channels }: { readonly outbox: Outbox; readonly channels: readonly Channel[] },
): readonly DeliveryLoop[] {
  if (channels.length === 0) logger.warn('no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL');
  return channels.map((channel) =>
    createDeliveryLoop({
      channel,
      outbox,
      backoff: { ...settings.delivery, jitter: 0.5 },
      clock: systemClock,
      random: Math.random,
      onSetAside: () => {},
      logger,
    }),
  );
}

function channelState(loop: DeliveryLoop, outbox: Outbox, store: Pick<MonitorStore, 'channelTotals'>): ChannelState {
  const now = systemClock();
  const pending = outbox.pending(loop.channel);
  const [oldest] = pending;
  return {
    channel: loop.channel,
    ...store.channelTotals(loop.channel, now.at - dayMs),
    pending: pending.length,
    oldestPendingAt: oldest && Date.parse(oldest.alert.decidedAt),
    lastError: loop.pace().lastError,
    brokenSince: brokenSince(loop.pace(), now),
  };
}

const shownTime = ({ hour, minute }: { readonly hour: number; readonly minute: number }): string =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
