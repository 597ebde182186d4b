import { createRandom, pick, randomInt } from '#loadtest/generate/random.ts';
import { readMonitorSettings, type MonitorSettings, type ProbeSettings } from '#monitor/config/config.ts';
import type { Alert } from '#monitor/model/alert.ts';
import { systemClock } from '#monitor/model/look.ts';
import { MonitorFaultError, type Probe } from '#monitor/probes/probe.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';
import { sloProbe, type SloMarks } from '#monitor/slo/slo-probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { isAlive, startProcess, type MonitorProcess } from '#test/histories/monitor-process.ts';
import { takeTime } from '#test/histories/virtual-time.ts';
import { planned } from './day.ts';
import { createTraffic } from './traffic.ts';

export const targetNames = ['postgresql', 'redis', 'api-a', 'api-b', 'nginx', 'site', 'availability'] as const;
export type TargetName = (typeof targetNames)[number];

/** What makes answers slow, and which. */
export type Business = 'backup' | 'load test';

const parents: Readonly<Record<TargetName, readonly (readonly TargetName[])[]>> = {
  postgresql: [],
  redis: [],
  'api-a': [['postgresql']],
  'api-b': [['postgresql']],
  nginx: [],
  site: [['nginx'], ['api-a', 'api-b']],
  availability: [['api-a', 'api-b']],
};
const slowedBy: Readonly<Record<Business, readonly TargetName[]>> = {
  backup: ['postgresql', 'api-a', 'api-b', 'site'],
  'load test': ['postgresql', 'redis', 'api-a', 'api-b', 'nginx', 'site'],
};
const secondMs = 1_000;
const minuteMs = 60 * secondMs;
/** One look in so many begins a blip of one or two that fail, as when a packet is lost: less than the three that are an outage. */
const blipOncePer = 1_500;

const base = await readMonitorSettings({
  POSTGRES_PASSWORD: 'unused',
  BACKUP_ENABLED: 'false',
  SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/hook',
});

export type CalmWorld = ReturnType<typeof createCalmWorld>;

/** A healthy system around the monitor's own parts, in virtual time. @param pace how many times as slow the cadence is */
export function createCalmWorld(seed: number, { startAt, pace }: { readonly startAt: number; readonly pace: number }) {
  const random = createRandom(seed, 1);
  const time = takeTime(startAt, isAlive);
  const store = createStore(openDatabase(':memory:'));
  const marks: SloMarks = new Map();
  const traffic = createTraffic(random);
  const blips = new Map<TargetName, number>();
  let offsetMs = 0;
  const world = {
    time,
    random,
    traffic,
    busy: new Set<Business>(),
    failing: new Set<TargetName>(),
    looks: 0,
    /** Silences that were asked for: they are numbered. */
    deploys: 0,
    decided: [] as Alert[],
    failure: undefined as unknown,
    process: undefined as unknown as MonitorProcess,
    start: () => {
      marks.clear();
      world.process = startProcess(settings, {
        store,
        decorate: (channel) => ({ ...channel, send: () => Promise.resolve() }),
        onCommit: ({ alerts }) => world.decided.push(...alerts),
        onServe: () => {},
        onFailure: (err) => (world.failure ??= err),
      });
      world.process.begin();
    },
    kill: () => {
      world.process.isDead = true;
      time.clear();
    },
    /** As NTP sets a clock that has run a little wrong. */
    stepClock: () => {
      const next = randomInt(random, -2_000, 2_000);
      time.setClock(next - offsetMs);
      offsetMs = next;
    },
    close: () => {
      world.kill();
      time.restore();
      store.close();
    },
  };

  const latencyOf = (name: TargetName): number => {
    const isSlowed = (by: Business): boolean => world.busy.has(by) && slowedBy[by].includes(name);
    if (isSlowed('backup')) return randomInt(random, 1_100, 2_500);
    if (isSlowed('load test')) return random() < 0.1 ? randomInt(random, 1_000, 2_200) : randomInt(random, 50, 950);
    return randomInt(random, 2, 60);
  };
  const lookAt =
    (name: TargetName): Probe =>
    async (signal) => {
      world.looks += 1;
      const left = blips.get(name) ?? (random() * blipOncePer < 1 ? randomInt(random, 1, 2) : 0);
      blips.set(name, left - 1);
      if (left <= 1) blips.delete(name);
      const isSilent = left > 0 && random() < 0.5;
      await new Promise<void>((resolve) => {
        if (isSilent) signal.addEventListener('abort', () => resolve(), { once: true });
        else setTimeout(resolve, latencyOf(name));
      });
      if (left > 0) return { outcome: 'failed', detail: 'connection reset' };
      return world.failing.has(name) ? { outcome: 'failed', detail: 'connection refused' } : { outcome: 'ok', detail: 'well' };
    };
  const lookAtObjective = (): Probe =>
    sloProbe(
      { name: 'availability', objective: 0.999, slowerThanSeconds: undefined, sources: [new URL('http://127.0.0.1:9/metrics')] },
      {
        ledger: store.slo,
        marks,
        loadTests: createLoadTestSight(),
        clock: systemClock,
        token: undefined,
        // oxlint-disable-next-line typescript/require-await -- a read is asynchronous by its type
        read: async () => {
          world.looks += 1;
          if (random() < 1 / 500) throw new MonitorFaultError('the connection was reset');
          return traffic.metrics(time.nowMs(), {
            at: time.at(),
            isLoadTested: world.busy.has('load test'),
            isClosed: world.failing.has('site'),
          });
        },
      },
    );
  const probeOf = (name: TargetName): ProbeSettings => {
    const isObjective = name === 'availability';
    return {
      name,
      kind: isObjective ? 'objective' : 'http',
      where: name,
      dependsOn: parents[name],
      degradedBy: [],
      cadence: isObjective
        ? {
            intervalMs: minuteMs * (pace > 1 ? 5 : 1),
            timeoutMs: 5_000,
            confirmIntervalMs: minuteMs * (pace > 1 ? 5 : 1),
            failures: 1,
            successes: 5,
          }
        : { intervalMs: 10_000 * pace, timeoutMs: 3_000, confirmIntervalMs: 2_000 * pace, failures: 3, successes: 2 },
      patience: {
        slowMs: isObjective ? Infinity : 1_000,
        unknownAfterMs: (isObjective && pace > 1 ? 15 : 5) * minuteMs,
        warnAfterMs: isObjective ? 0 : 5 * minuteMs * pace,
        remindAfterMs: 4 * 60 * minuteMs,
        startGraceMs: isObjective ? 0 : minuteMs * pace,
      },
      create: () => (isObjective ? lookAtObjective() : lookAt(name)),
    };
  };
  const { timeZone, hour, minute, forMs } = planned;
  const settings: MonitorSettings = {
    ...base,
    probes: targetNames.map(probeOf),
    maintenance: [
      {
        name: 'nightly',
        targets: undefined,
        timeZone,
        date: undefined,
        days: [0, 1, 2, 3, 4, 5, 6],
        minuteOfDay: hour * 60 + minute,
        forMs,
      },
    ],
  };
  world.start();
  return world;
}

/** Which instance is begun anew first. */
export const deployOrder = (world: CalmWorld): readonly TargetName[] =>
  pick(world.random, [
    ['api-a', 'api-b'],
    ['api-b', 'api-a'],
  ] as const);
