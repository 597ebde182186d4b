import { lockFolder, type FolderLock } from '#lib/lock.ts';
import type { Logger } from '#lib/logger.ts';
import { showDuration } from '#lib/show.ts';
import type { Closer } from '#lib/shutdown.ts';
import type { Channel } from '../alerts/channel.ts';
import { createOutbox, type Outbox } from '../alerts/outbox.ts';
import { createSelfAlerts, type Notice, type SelfAlerts } from '../alerts/self-alerts.ts';
import type { MonitorSettings } from '../config/config.ts';
import type { FirstAnswers } from '../health/watch.ts';
import { systemClock, type Clock } from '../model/look.ts';
import { createBeats, type Beats } from '../probes/beats.ts';
import { openSigner, type Signer } from '../quiet/signature.ts';
import { createSilences, type Silences } from '../quiet/silences.ts';
import { createLoadTestSight, type LoadTestSight } from '../slo/load-test-sight.ts';
import type { SloMarks } from '../slo/slo-probe.ts';
import { guarded, openOrReplaceDatabase } from '../store/database.ts';
import { createStore } from '../store/open-store.ts';
import type { MonitorStore } from '../store/store.ts';
import { createLatencyKeeper, type LatencyKeeper } from './duties/keep-latencies.ts';
import { takeWatchdogNote } from './watchdog.ts';

/** What tests put around the store and the channels, and how long the monitor may stand still in them; in production nothing. */
export type Decorations = {
  readonly store: (store: MonitorStore) => MonitorStore;
  readonly channel: (channel: Channel) => Channel;
  readonly standstillMs?: number;
};

export const noDecorations: Decorations = { store: (store) => store, channel: (channel) => channel };

/** What stays as it is over a reload: the folder with its lock and its store, and what is on its way to people. */
export type House = {
  readonly lock: FolderLock;
  readonly store: MonitorStore;
  readonly outbox: Outbox;
  readonly selfAlerts: SelfAlerts;
  readonly silences: Silences;
  readonly signer: Signer;
  readonly firstAnswers: FirstAnswers;
  readonly sloMarks: SloMarks;
  readonly loadTests: LoadTestSight;
  readonly beats: Beats;
  readonly latencies: LatencyKeeper;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly decorate: Decorations;
  /** What people must know of how this process came to start. */
  readonly notices: readonly Notice[];
};

/**
 * Takes the folder and opens the store.
 * @param closers gets what has to be closed again, also when a later step fails
 * @throws {BusyError} another monitor holds the folder · {StoreError}
 */
export function openHouse(settings: MonitorSettings, logger: Logger, decorate: Decorations, closers: Closer[]): House {
  const now = new Date();
  const dir = settings.env.MONITOR_DATA_DIR;
  const cure = 'stop it or set MONITOR_DATA_DIR';
  const lock = guarded(`needs the folder ${dir}`, () => lockFolder(dir, { name: 'monitor.lock', purpose: 'monitor', cure, now }));
  closers.push({ name: 'lock', close: lock.release });
  const { connection, setAside } = openOrReplaceDatabase(dir, now);
  const store = decorate.store(createStore(connection));
  closers.push({ name: 'store', close: store.close });
  const latencies = createLatencyKeeper(store.latencies);
  closers.push({ name: 'latencies', close: () => latencies.keep() });
  const outbox = createOutbox({ store, clock: systemClock, logger });
  const silences = createSilences({ store, clock: systemClock });
  const signer = guarded(`needs the folder ${dir}`, () => openSigner(dir));
  const selfAlerts = createSelfAlerts({ outbox, clock: systemClock, left: store.openIncidents(), isTaken: store.isTaken });
  const notices = [...storeNotice(setAside), ...watchdogNotice(dir)];
  for (const { detail } of notices) logger.error(detail);
  const firstAnswers = { awaitedSince: systemClock(), from: new Set<string>() };
  return {
    lock,
    store,
    outbox,
    selfAlerts,
    silences,
    signer,
    firstAnswers,
    sloMarks: new Map(),
    loadTests: createLoadTestSight(),
    latencies,
    beats: createBeats({ ledger: store.beats, clock: systemClock }),
    clock: systemClock,
    logger,
    decorate,
    notices,
  };
}

const storeNotice = (setAside: string | undefined): Notice[] =>
  setAside === undefined ? [] : [{ part: 'store', detail: `the store was damaged; it is kept as ${setAside}, and a new one has begun` }];

function watchdogNotice(dir: string): Notice[] {
  const stoodStillMs = takeWatchdogNote(dir);
  if (stoodStillMs === undefined) return [];
  const detail = `its watchdog ended the monitor, which had stood still for ${showDuration(stoodStillMs)}; it has been started again`;
  return [{ part: 'watchdog', detail, nextStep: { code: 'whyItWasEnded' } }];
}
