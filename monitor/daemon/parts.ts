import { channelStates } from '../alerts/channel-states.ts';
import { webhookFetch } from '../alerts/channels/webhook-fetch.ts';
import type { DeliveryLoop } from '../alerts/deliver.ts';
import { createBackupJob, type BackupJob } from '../backup/job.ts';
import { backupSteps } from '../backup/steps.ts';
import type { MonitorSettings, ProbeSettings } from '../config/config.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { createWatch, type Watch, type WatchDeps } from '../health/watch.ts';
import type { Health } from '../model/look.ts';
import { diskLogFiles } from '../logs/log-files.ts';
import { createRotation } from '../logs/rotation.ts';
import { createHostResolver } from '../probes/resolve-host.ts';
import { maintenanceOf } from '../quiet/maintenance.ts';
import { silenceOf } from '../quiet/silences.ts';
import { createSnapshotTaker } from '../status-page/status-snapshot.ts';
import { createDelivery } from './delivery.ts';
import { dailyBackupDuty } from './duties/daily-backup.ts';
import { everyMinute, everySecond, runDuties, type Duty } from './duties/duty.ts';
import { expireHistoryDuty } from './duties/expire-history.ts';
import { holdFolderDuty } from './duties/hold-folder.ts';
import { keepLatenciesDuty } from './duties/keep-latencies.ts';
import { noticeChangeDuty } from './duties/notice-change.ts';
import { noticeStandstillDuty } from './duties/notice-standstill.ts';
import { selfCheckDuty } from './duties/self-check.ts';
import { restartHangingDuty } from './duties/restart-hanging.ts';
import { sendHeartbeatDuty } from './duties/send-heartbeat.ts';
import type { House } from './house.ts';
import { seekEvidence } from './seek-evidence.ts';
import { createTargets, type NamedRotation } from './targets.ts';

/** What the settings make: targets, channels, duties. A reload exchanges all of it over the same house. */
export type Parts = {
  readonly watch: Watch;
  /** What was seen of a target so far; undefined where it is looked at in another place. */
  readonly seenOf: (target: ProbePlace) => Health | undefined;
  readonly takeSnapshot: ReturnType<typeof createSnapshotTaker>;
  /** What lets operators in; undefined: nothing does. */
  readonly operatorPassword: string | undefined;
  /** Runs everything until the signal fires. Rejects when a part ends that never should, or the folder is lost. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Resolves once nothing is under way that a reload would spoil. */
  readonly whenIdle: () => Promise<void>;
};

const dayMs = 86_400_000;

type ProbePlace = Pick<ProbeSettings, 'name' | 'kind' | 'where'>;

const isSame = (a: ProbePlace, b: ProbePlace): boolean => a.name === b.name && a.kind === b.kind && a.where === b.where;

/** What parts and the daemon that exchanges them say to each other. */
export type PartsDeps = {
  /** What the parts before have seen of a target that is looked at in the same place. */
  readonly carried: (target: ProbePlace) => Health | undefined;
  /** Why the settings, read anew, were not put in force. */
  readonly settingsFault: () => string | undefined;
  /** Called when the file of the settings has changed. */
  readonly onChange: () => void;
};

/** @throws {StoreError} when what an earlier process left cannot be read */
export function createParts(house: House, settings: MonitorSettings, deps: PartsDeps): Parts {
  const { store, outbox, silences, firstAnswers, clock, logger } = house;
  const { env } = settings;
  const resolveHost = createHostResolver();
  const evidence = seekEvidence(house, settings, { watch: () => watch, resolveHost });
  const loops = createDelivery(house, settings, evidence);
  outbox.onQueued(() => loops.forEach((loop) => loop.wake()));
  // What was set aside lately is tried again: the settings may have been mended.
  outbox.serve(
    loops.map(({ channel }) => channel),
    clock().at - dayMs,
  );
  const backupJob = env.BACKUP_ENABLED
    ? createBackupJob({ time: env.BACKUP_SCHEDULE_UTC, steps: backupSteps(env), jobRuns: store.jobRuns, now: Date.now, logger })
    : undefined;
  const rotations = settings.rotation.map((logs) => ({
    name: logs.name,
    ...createRotation(logs, { files: diskLogFiles, jobRuns: store.jobRuns, clock, logger }),
  }));
  const slo = { ledger: store.slo, marks: house.sloMarks, loadTests: house.loadTests, clock };
  const targets = createTargets(settings, { backupJob, resolveHost, beats: house.beats, slo, rotations });
  const { flap, maintenance, probes } = settings;
  const carried = new Map(probes.map((probe) => [probe.name, deps.carried(probe)]));
  const quietOf: WatchDeps['quietOf'] = (target, now) =>
    silenceOf(target, silences.inForce(now)) ?? maintenanceOf(target, maintenance, now.at);
  const watch: Watch = createWatch({
    targets,
    flap,
    store,
    commit: (tick) => {
      const alerts = tick.alerts.map((alert) => house.loadTests.mention(alert, clock()));
      outbox.commit({ ...tick, alerts });
      evidence.begin(alerts);
    },
    onLook: house.latencies.saw,
    firstAnswers,
    carried: (target) => carried.get(target),
    quietOf,
    clock,
    logger,
  });
  const takeSnapshot = createSnapshotTaker({
    watch,
    store,
    silences,
    maintenance,
    channels: () => channelStates(loops, outbox, { store, now: clock() }),
    storeFault: outbox.storeFault,
    settingsFault: deps.settingsFault,
    backupJob,
    backupSchedule: shownTime(env.BACKUP_SCHEDULE_UTC),
    clock,
  });
  const work = { rotations, loops, watch, backupJob, takeSnapshot, evidence };
  return createRunning(house, settings, { ...work, deps });
}

type Work = {
  readonly rotations: readonly NamedRotation[];
  readonly loops: readonly DeliveryLoop[];
  readonly watch: Watch;
  readonly backupJob: BackupJob | undefined;
  readonly takeSnapshot: Parts['takeSnapshot'];
  readonly evidence: Evidence;
  readonly deps: PartsDeps;
};

function createRunning(house: House, settings: MonitorSettings, work: Work): Parts {
  const { rotations, loops, watch, backupJob, takeSnapshot, evidence, deps } = work;
  const { store, outbox, selfAlerts, clock, logger, lock } = house;
  const url = settings.env.HEARTBEAT_URL;
  const backup = backupJob && dailyBackupDuty(backupJob, watch, clock().clockMs + settings.backups.settleMs);
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  const bySecond: Duty[] = [
    selfCheckDuty({ outbox, settingsFault: deps.settingsFault, loops, selfAlerts }),
    ...(settings.source ? [noticeChangeDuty(settings.source, deps.onChange)] : []),
    noticeStandstillDuty(selfAlerts),
    holdFolderDuty(lock, lost.reject),
    ...(url === undefined ? [] : [sendHeartbeatDuty({ url, judgeSelf: async () => (await takeSnapshot()).self, fetch: webhookFetch })]),
  ];
  if (settings.actions.length > 0) bySecond.push(restartHangingDuty(house, settings, { watch, evidence }));
  const byMinute: Duty[] = [
    expireHistoryDuty(store),
    keepLatenciesDuty(house.latencies),
    ...rotations.map(rotateLogsDuty),
    ...(backup ? [backup] : []),
  ];
  return {
    watch,
    seenOf: (place) =>
      settings.probes.some((each) => isSame(each, place)) ? watch.snapshot().find(({ name }) => name === place.name)?.health : undefined,
    takeSnapshot,
    operatorPassword: settings.env.MONITOR_PASSWORD,
    whenIdle: async () => backup?.whenIdle(),
    run: async (signal) => {
      const all = [
        watch.run(signal),
        ...loops.map((loop) => loop.run(signal)),
        runDuties(bySecond, { tick: everySecond, clock, logger }, signal),
        runDuties(byMinute, { tick: everyMinute, clock, logger }, signal),
      ];
      await Promise.race([Promise.all(all), lost.promise]);
    },
  };
}

/** Each minute: what is due is decided from what was done, and what a run before could not finish is tried again. */
const rotateLogsDuty = ({ name, run }: NamedRotation): Duty => ({
  name: `rotate ${name}`,
  isDue: () => true,
  run: (_now, signal) => run(signal),
});

const shownTime = ({ hour, minute }: { readonly hour: number; readonly minute: number }): string =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
