import { createRandom } from '#loadtest/generate/random.ts';
import type { Delivery } from '#monitor/alerts/channel.ts';
import { readMonitorSettings, type MonitorSettings, type ProbeSettings } from '#monitor/config/config.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { Maintenance } from '#monitor/quiet/maintenance.ts';
import type { SloMarks } from '#monitor/slo/slo-probe.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore } from '#monitor/store/store.ts';
import { channelOf, lookAt, objectiveOf } from './outside.ts';
import { besides, isAlive, startProcess, type MonitorProcess } from './monitor-process.ts';
import {
  flapTurns,
  targetNames,
  usual,
  type ChannelName,
  type ChannelState,
  type Configured,
  type TargetName,
  type TargetState,
} from './steps.ts';
import { takeTime } from './virtual-time.ts';

export type Decided = { readonly alert: Alert; readonly atMs: number; readonly channels: readonly string[] };
export type Arrival = {
  readonly channel: string;
  readonly alert: Alert;
  readonly delivery: Delivery;
  readonly atMs: number;
  /** What was wrong with the channel since the last arrival before, since when nothing is, and whether it is the first since then. */
  readonly waited: { readonly after: string; readonly backMs: number; readonly isFirst: boolean } | undefined;
};
/** A time in which nothing of these targets is to be told; undefined: of any. */
export type QuietTime = {
  readonly kind: 'silence' | 'maintenance';
  readonly targets: readonly string[] | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Its begin by the clock of the machine. */
  readonly fromAt: number;
  /** The settings that planned it. */
  readonly of?: Configured;
  /** When it was ended early, or taken out of the settings. */
  endedMs: number | undefined;
};

const startAt = Date.parse('2026-11-24T02:00:00Z');
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A monitor that lives so long after a change has confirmed it and has it on disk. */
const confirmedMs = 30_000;

/** All around the monitor that a history changes, and all that is seen of it from there. One for many: its store is emptied between them. */
export async function createWorld() {
  const base = await readMonitorSettings({
    POSTGRES_PASSWORD: 'unused',
    BACKUP_ENABLED: 'false',
    SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
    SMTP_URL: 'smtp://127.0.0.1:9',
    ALERT_EMAIL_FROM: 'monitor@shop.example',
    ALERT_EMAIL_TO: 'ops@shop.example',
  });
  const time = takeTime(startAt, isAlive);
  const database = openDatabase(':memory:');
  const store = createStore(database);
  const tables = (
    database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all() as { name: string }[]
  ).map(({ name }) => name);
  const world = {
    time,
    store,
    database,
    process: undefined as unknown as MonitorProcess,
    /** `seenMs`: since when a monitor has been able to see it so; one that crashes soon after has confirmed nothing. */
    targets: {} as Record<TargetName, { state: TargetState; sinceMs: number; seenMs: number }>,
    /** How often each was changed. */
    turns: new Map<TargetName, number>(),
    channels: {} as Record<ChannelName, { state: ChannelState; sinceMs: number; troubles: Set<ChannelState>; hasDelivered: boolean }>,
    isDiskFull: false,
    written: usual,
    inForce: usual,
    lastChangeMs: 0,
    clockSetMs: -Infinity,
    /** By how much the clock of the machine was set back in all. */
    setBackMs: 0,
    startedMs: 0,
    quiets: [] as QuietTime[],
    decided: [] as Decided[],
    arrivals: [] as Arrival[],
    setAside: new Set<string>(),
    crashes: 0,
    unanswered: 0,
    unrecorded: 0,
    failure: undefined as unknown,
    /** What the process has read of the metrics, and what they show by now. */
    sloMarks: new Map() as SloMarks,
    answers: { good: 0, bad: 0, countedMs: 0 },
    onCrash: () => {},
    start,
    crash,
    reset,
    setClock: (byMs: number) => {
      time.setClock(byMs);
      world.clockSetMs = time.nowMs();
      world.setBackMs += Math.max(0, -byMs);
    },
    setTarget: (name: TargetName, state: TargetState) => {
      if (world.targets[name].state === state) return;
      world.turns.set(name, (world.turns.get(name) ?? 0) + 1);
      world.targets[name] = { state, sinceMs: time.nowMs(), seenMs: world.process.isDead ? Infinity : time.nowMs() };
    },
    setChannel: (name: ChannelName, state: ChannelState) => {
      const channel = world.channels[name];
      if (channel.state === state) return;
      Object.assign(channel, { state, sinceMs: time.nowMs() });
      if (state === 'accept' || state.startsWith('die')) return;
      if (channel.hasDelivered) channel.troubles.clear();
      channel.troubles.add(state);
      channel.hasDelivered = false;
    },
    configure: (written: Configured, isBad = false) => {
      if (!isBad) world.written = written;
      world.process.reload(settingsOf(world.written), isBad);
    },
    close: () => {
      time.restore();
      store.close();
    },
  };
  const made = new WeakMap<MonitorSettings, Configured>();
  return world;

  function reset(begins: Configured, seed: number): void {
    time.rewind(createRandom(seed, 1));
    for (const table of tables) database.exec(`DELETE FROM ${table}`);
    const now = time.nowMs();
    Object.assign(world, {
      isDiskFull: false,
      written: begins,
      clockSetMs: -Infinity,
      setBackMs: 0,
      crashes: 0,
      unanswered: 0,
      unrecorded: 0,
      failure: undefined,
    });
    for (const list of [world.quiets, world.decided, world.arrivals]) list.length = 0;
    world.setAside.clear();
    world.turns.clear();
    for (const name of targetNames) world.targets[name] = { state: 'up', sinceMs: now, seenMs: now };
    for (const name of ['slack', 'email'] as const)
      world.channels[name] = { state: 'accept', sinceMs: -Infinity, troubles: new Set(), hasDelivered: true };
    Object.assign(world.answers, { good: 0, bad: 0, countedMs: now });
    start();
  }

  function start(): void {
    world.startedMs = time.nowMs();
    for (const target of Object.values(world.targets)) target.seenMs = Math.min(target.seenMs, time.nowMs());
    world.sloMarks.clear();
    world.process = startProcess(settingsOf(world.written), {
      store: diskOf(),
      decorate: (channel) => channelOf(world, channel),
      onCommit: ({ alerts }, channels) => world.decided.push(...alerts.map((alert) => ({ alert, atMs: time.nowMs(), channels }))),
      onServe: (settings) => enforce(made.get(settings) ?? world.written),
      onFailure: (err) => (world.failure ??= err),
    });
    world.process.begin();
  }

  /** Ends the process as SIGKILL does; the next starts after a while. */
  function crash(forMs: number): void {
    if (world.process.isDead) return;
    world.process.isDead = true;
    world.crashes += 1;
    const isForgetful = world.isDiskFull || world.process.outbox.storeFault() !== undefined;
    for (const target of Object.values(world.targets))
      if (isForgetful || time.nowMs() - target.seenMs < confirmedMs) target.seenMs = Infinity;
    time.clear();
    world.onCrash();
    besides(() => void (forMs === 0 ? start() : setTimeout(start, forMs)));
  }

  /** Settings come into force: what they no longer say of planned work is over. */
  function enforce(next: Configured): void {
    world.lastChangeMs = time.nowMs();
    for (const quiet of world.quiets) if (quiet.of !== undefined && quiet.of !== next) quiet.endedMs ??= time.nowMs();
    world.inForce = next;
  }

  function settingsOf(written: Configured): MonitorSettings {
    const { channels, isWebWatched } = written;
    const { SLACK_WEBHOOK_URL, SMTP_URL, ...env } = base.env;
    const settings: MonitorSettings = {
      ...base,
      env: {
        ...env,
        SLACK_WEBHOOK_URL: channels.includes('slack') ? SLACK_WEBHOOK_URL : undefined,
        SMTP_URL: channels.includes('email') ? SMTP_URL : undefined,
      },
      probes: targetNames.filter((name) => name !== 'web' || isWebWatched).map((name) => probeOf(name)),
      flap: { turns: flapTurns, windowMs: 2 * minuteMs, settleMs: minuteMs },
      maintenance: plannedOf(written),
    };
    made.set(settings, written);
    return settings;
  }

  /** Settings that are read again mean the same window. */
  function plannedOf(written: Configured): Maintenance[] {
    if (!written.maintenance) return [];
    const { forMinutes, targets } = written.maintenance;
    const forMs = forMinutes * minuteMs;
    let window = world.quiets.find((quiet) => quiet.of === written);
    if (!window) {
      const fromAt = Math.ceil((time.at() + 1) / minuteMs) * minuteMs;
      const fromMs = time.nowMs() + fromAt - time.at();
      window = { kind: 'maintenance', targets, fromMs, untilMs: fromMs + forMs, fromAt, of: written, endedMs: undefined };
      world.quiets.push(window);
    }
    const date = Math.floor(window.fromAt / dayMs) * dayMs;
    return [{ name: 'planned', targets, timeZone: 'UTC', date, days: [], minuteOfDay: (window.fromAt - date) / minuteMs, forMs }];
  }

  function probeOf(name: TargetName): ProbeSettings {
    const isObjective = name === 'availability';
    const parents = { db: [], api: [['db']], web: [], availability: [['api']] }[name];
    return {
      name,
      kind: isObjective ? 'objective' : 'http',
      where: name,
      dependsOn: parents,
      degradedBy: [],
      cadence: isObjective
        ? { intervalMs: minuteMs, timeoutMs: 5_000, confirmIntervalMs: minuteMs, failures: 1, successes: 5 }
        : { intervalMs: 10_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
      patience: {
        slowMs: isObjective ? Infinity : 1_000,
        unknownAfterMs: 2 * minuteMs,
        warnAfterMs: isObjective ? 0 : 2 * minuteMs,
        remindAfterMs: 5 * minuteMs,
        startGraceMs: isObjective ? 0 : 20_000,
      },
      create: () => (isObjective ? objectiveOf(world) : lookAt(world, name)),
    };
  }

  function diskOf(): MonitorStore {
    return {
      ...store,
      write: (changes) => {
        for (const { state, channel, alert } of changes.messages) if (state === 'failed') world.setAside.add(`${channel} ${alert.id}`);
        if (!isAlive() || world.isDiskFull) throw new StoreError('the disk is full');
        store.write(changes);
      },
    };
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>;
