// What hangs is started anew, and what is not, by one small world of targets, budgets and restarts; so it is long.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { coolDownMs, decideRestart, hourMs, mostInAnHour, type Action } from '#monitor/action/decide-restart.ts';
import { createRestarter } from '#monitor/action/restarter.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { TargetSnapshot } from '#monitor/health/watch.ts';
import type { Incident } from '#monitor/model/incident.ts';
import type { HealthStatus } from '#monitor/model/look.ts';
import type { TimelineEntry } from '#monitor/model/quiet.ts';
import type { JobRun } from '#monitor/store/store.ts';
import { say } from '#monitor/words/say.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const action: Action = { target: 'api-a', admin: new URL('http://api-a:9000'), mode: 'act' };
const minute = 60_000;

/** What can be the matter; left out: the API hangs, and everybody was told. */
type World = {
  readonly status: HealthStatus;
  readonly isTold: boolean;
  readonly isSilent: boolean;
  readonly isQuiet: boolean;
  readonly isAcknowledged: boolean;
  readonly suppressedBy: string | undefined;
  readonly postgresql: HealthStatus;
  readonly redis: HealthStatus;
  readonly disk: HealthStatus;
};
const hanging: World = {
  status: 'down',
  isTold: true,
  isSilent: true,
  isQuiet: false,
  isAcknowledged: false,
  suppressedBy: undefined,
  postgresql: 'up',
  redis: 'up',
  disk: 'up',
};

const target = (name: string, kind: string, status: HealthStatus): TargetSnapshot => ({
  name,
  kind,
  status,
  dependsOn: [],
  cadence: { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
  health: initialHealth('up', { at: 0, clockMs: 0 }),
  incidents: [],
  detectionBoundMs: 19_000,
});

const incidentOf = ({ isTold, isAcknowledged, suppressedBy }: World): Incident => ({
  id: 'api-a-1',
  kind: 'down',
  probe: 'api-a',
  startedAt: 0,
  detectedAt: 0,
  detail: 'no answer within 3 s',
  firedAt: isTold ? 0 : undefined,
  reminders: 0,
  lastToldAt: undefined,
  suppressedBy,
  acknowledged: isAcknowledged ? { at: 0, by: 'ana' } : undefined,
  endedAt: undefined,
});

function targetsOf(world: World): TargetSnapshot[] {
  const moment = { at: 0, clockMs: 0 };
  const api: TargetSnapshot = {
    ...target('api-a', 'http', world.status),
    dependsOn: [['postgresql']],
    health: {
      ...initialHealth('down', moment),
      failingSince: moment,
      recent: [{ outcome: 'failed', detail: '', latencyMs: 1, ...moment, ...(world.isSilent ? { isSilent: true } : {}) }],
    },
    incidents: world.status === 'down' ? [incidentOf(world)] : [],
    quiet: world.isQuiet ? { kind: 'maintenance', name: 'release', until: 1 } : undefined,
  };
  return [
    api,
    target('postgresql', 'postgres', world.postgresql),
    target('redis', 'redis', world.redis),
    target('disk', 'disk', world.disk),
  ];
}

/** A monitor that can be killed, over a store that stays, in virtual time. */
function createPlay(settings: Action = action) {
  const runs: JobRun[] = [];
  const now = { at: Date.parse('2026-11-26T00:00:00Z'), clockMs: 0 };
  const drains: { readonly clockMs: number; readonly world: World }[] = [];
  const told: string[] = [];
  const shown: string[] = [];
  const taken: string[] = [];
  const timeline: TimelineEntry[] = [];
  let upMs = 5 * hourMs;
  let world = hanging;
  let afterEvidence: World | undefined;
  let snapshots = 0;
  const start = () =>
    createRestarter([settings], {
      snapshot: () => {
        snapshots += 1;
        return targetsOf(world);
      },
      isDown: (name) => name === 'api-a' && world.status === 'down',
      jobRuns: {
        begin: (job, startedAt, reason, machineUpMs) =>
          runs.push({ job, startedAt, reason, machineUpMs, endedAt: undefined, outcome: undefined, detail: '' }),
        end: () => {},
        recent: (_job, limit) => runs.toReversed().slice(0, limit),
      },
      keep: (entry) => void timeline.push(entry),
      tell: ({ detail, facts = [] }) => {
        told.push(detail);
        shown.push(...facts.map(([label, value]) => `${label}: ${say(value, 'en')}`));
      },
      evidence: (of) => {
        taken.push(`${of.target} at ${now.clockMs / minute} m, ${drains.length} drained`);
        world = afterEvidence ?? world;
        return Promise.resolve([['Pool', '10 of 10 in use']]);
      },
      drain: () => Promise.resolve(void drains.push({ clockMs: now.clockMs, world })),
      clock: () => ({ ...now }),
      machineUpMs: () => upMs,
      logger,
    });
  let restarter = start();
  return {
    drains,
    told,
    shown,
    taken,
    snapshots: () => snapshots,
    /** What has become of the target once the evidence is taken. */
    becomes: (next: World) => void (afterEvidence = next),
    timeline,
    restartMonitor: () => void (restarter = start()),
    restartMachine: () => void (upMs = 0),
    setClock: (byMs: number) => void (now.at += byMs),
    tick: async (ms: number, next: World = hanging) => {
      now.at += ms;
      now.clockMs += ms;
      upMs += ms;
      world = next;
      await restarter.run(new AbortController().signal);
    },
  };
}

describe('an API that hangs', () => {
  test('is drained three times within an hour, two minutes apart, and then a person is called once', async () => {
    const play = createPlay();
    for (let minutes = 0; minutes < 60; minutes += 1) await play.tick(minute);
    expect(play.drains.map(({ clockMs }) => clockMs / minute)).toEqual([1, 3, 5]);
    expect(play.told).toEqual([
      ...[1, 2, 3].map((n) => `api-a hangs: it was asked to drain, and is to be started again; ${n} of 3 within an hour`),
      'api-a hangs still after 3 restarts within an hour: no more is tried, a person must look',
    ]);
    expect(play.timeline.map(({ event, probe, detail }) => [event, probe, detail])).toEqual(
      play.told.map((detail) => ['action', 'api-a', detail]),
    );
    await play.tick(minute);
    expect(play.drains).toHaveLength(4);
  });

  test('has its evidence taken before it is drained, which destroys it, and the message shows it', async () => {
    const play = createPlay();
    await play.tick(minute);
    expect(play.taken).toEqual(['api-a at 1 m, 0 drained']);
    expect(play.drains).toHaveLength(1);
    expect(play.shown).toEqual(['Pool: 10 of 10 in use']);
  });

  test('is not drained when it has come back, or somebody has taken it on, while the evidence was taken', async () => {
    for (const next of [
      { ...hanging, status: 'up' as const },
      { ...hanging, isAcknowledged: true },
    ]) {
      const play = createPlay();
      play.becomes(next);
      await play.tick(minute);
      expect(play.taken).toHaveLength(1);
      expect([play.drains, play.told]).toEqual([[], []]);
    }
  });

  test('costs a snapshot of all targets only while it is down', async () => {
    const play = createPlay();
    await play.tick(minute, { ...hanging, status: 'up' });
    expect(play.snapshots()).toBe(0);
    await play.tick(minute);
    expect(play.snapshots()).toBeGreaterThan(0);
    expect(play.drains).toHaveLength(1);
  });

  test('is left alone in a dry run, which says and counts what it would have done', async () => {
    const play = createPlay({ ...action, mode: 'dry-run' });
    for (let minutes = 0; minutes < 60; minutes += 1) await play.tick(minute);
    expect(play.drains).toEqual([]);
    expect(play.told).toHaveLength(4);
    expect(play.told[0]).toBe('api-a hangs: in a dry run nothing was done: mode: act would drain it; 1 of 3 within an hour');
  });

  test.each([
    ['back', -10 * hourMs],
    ['forward', 10 * hourMs],
  ])('waits as long as it would have when the clock is set %s while no monitor runs, and is drained no more often', async (_way, byMs) => {
    const play = createPlay();
    await play.tick(minute);
    play.setClock(byMs);
    play.restartMonitor();
    for (let minutes = 0; minutes < 59; minutes += 1) await play.tick(minute);
    expect(play.drains.map(({ clockMs }) => clockMs / minute)).toEqual([1, 3, 5]);
    await play.tick(minute);
    expect(play.drains).toHaveLength(4);
  });

  test('is not waited for when the machine was started anew a day after', async () => {
    const play = createPlay();
    for (let minutes = 0; minutes < 6; minutes += 1) await play.tick(minute);
    await play.tick(24 * hourMs, { ...hanging, status: 'up' });
    play.restartMachine();
    play.restartMonitor();
    await play.tick(minute);
    expect(play.drains).toHaveLength(4);
  });

  test.each<[string, Partial<World>, string]>([
    ['nobody was told yet', { isTold: false }, 'well'],
    ['it is up', { status: 'up' }, 'well'],
    ['the monitor cannot tell', { status: 'unknown' }, 'well'],
    ['it answers, or nothing runs there', { isSilent: false }, 'answers'],
    ['planned work or a release goes on', { isQuiet: true }, 'quiet'],
    ['somebody has taken it on', { isAcknowledged: true }, 'acknowledged'],
    ['another outage explains it', { suppressedBy: 'postgresql' }, 'elsewhere'],
    ['the database is down', { postgresql: 'down' }, 'elsewhere'],
    ['the database is degraded', { postgresql: 'degraded' }, 'elsewhere'],
    ['nobody knows how the database is', { postgresql: 'unknown' }, 'elsewhere'],
    ['Redis is down', { redis: 'down' }, 'elsewhere'],
    ['the disk is full', { disk: 'down' }, 'elsewhere'],
  ])('is left alone while %s', (_sentence, changes, reason) => {
    const targets = targetsOf({ ...hanging, ...changes });
    expect(decideRestart({ action, targets, restartsMs: [], nowMs: 0 })).toEqual({ do: 'leave', reason });
  });
});

const status = fc.constantFrom<HealthStatus>('up', 'up', 'up', 'degraded', 'down', 'unknown');
const anyWorld: fc.Arbitrary<World> = fc.record({
  status: fc.constantFrom<HealthStatus>('down', 'down', 'up', 'unknown'),
  isTold: fc.boolean(),
  isSilent: fc.boolean(),
  isQuiet: fc.boolean(),
  isAcknowledged: fc.boolean(),
  suppressedBy: fc.option(fc.constant('postgresql'), { nil: undefined }),
  postgresql: status,
  redis: status,
  disk: status,
});
const step = fc.record({
  ms: fc.integer({ min: 1_000, max: 20 * minute }),
  world: fc.oneof(fc.constant(hanging), anyWorld),
  isKilled: fc.boolean(),
  setByMs: fc.option(fc.integer({ min: -5 * hourMs, max: 5 * hourMs }), { freq: 4, nil: 0 }),
});

test('in no history is it drained more than three times within any hour, nor for any cause but its own hanging, whenever the monitor is killed and the clock set', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const play = createPlay();
      for (const { ms, world, isKilled, setByMs } of steps) {
        play.setClock(setByMs ?? 0);
        if (isKilled) play.restartMonitor();
        await play.tick(ms, world);
      }
      for (const [index, { clockMs, world }] of play.drains.entries()) {
        expect(world).toEqual(hanging);
        const untilDrain = (n: number) => (play.drains[index + n]?.clockMs ?? Infinity) - clockMs;
        expect(untilDrain(1)).toBeGreaterThanOrEqual(coolDownMs);
        expect(untilDrain(mostInAnHour)).toBeGreaterThanOrEqual(hourMs);
      }
    }),
    { numRuns: 1_000 },
  );
});
