// A watch through looks, restarts and clocks, over one small world of it; so it is long.

import { queryObjects } from 'node:v8';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { Target } from '#monitor/health/target.ts';
import { createWatch, type FirstAnswers } from '#monitor/health/watch.ts';
import type { Alert } from '#monitor/model/alert.ts';
import { incidentId, type Incident, type IncidentKind, type TickCommit } from '#monitor/model/incident.ts';
import { systemClock, type Health, type Moment } from '#monitor/model/look.ts';
import type { ProbeReport } from '#monitor/probes/probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore } from '#monitor/store/store.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });

const open = (kind: IncidentKind, firedAt: number | undefined): Incident => ({
  id: incidentId('api', 1_000, kind, () => false),
  kind,
  probe: 'api',
  startedAt: 1_000,
  detectedAt: 2_000,
  detail: 'refused',
  firedAt,
  reminders: 0,
  lastToldAt: firedAt,
  suppressedBy: undefined,
  endedAt: undefined,
});

function storeWith(...incidents: readonly Incident[]): MonitorStore {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  store.write({ health: [], incidents, messages: [] });
  return store;
}

/** The rhythm and the patience a file has that says nothing of them. */
const api = (lookAt: () => ProbeReport['outcome']): Target => ({
  name: 'api',
  kind: 'http',
  dependsOn: [],
  degradedBy: [],
  cadence: { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
  patience: { slowMs: 1_000, unknownAfterMs: 300_000, warnAfterMs: 300_000, remindAfterMs: Infinity, startGraceMs: 60_000 },
  probe: async () => {
    await new Promise((resolve) => setTimeout(resolve, 4));
    return { outcome: lookAt(), detail: 'seen' };
  },
});

const flap = { turns: 3, windowMs: 120_000, settleMs: 60_000 };

const awaitFirstAnswers = (): FirstAnswers => ({ awaitedSince: systemClock(), from: new Set() });

/** Runs the real watch in virtual time and gives what it told. */
async function watchFor(
  ms: number,
  target: Target | readonly Target[],
  store: MonitorStore,
  firstAnswers = awaitFirstAnswers(),
  carried?: Health,
): Promise<readonly Alert[]> {
  const alerts: Alert[] = [];
  const commit = (tick: TickCommit): void => void alerts.push(...tick.alerts);
  const watch = createWatch({
    targets: [target].flat(),
    flap,
    store,
    commit,
    firstAnswers,
    carried: () => carried,
    quietOf: () => undefined,
    clock: systemClock,
    logger,
  });
  const stopping = new AbortController();
  const running = watch.run(stopping.signal);
  await vi.advanceTimersByTimeAsync(ms);
  stopping.abort();
  await vi.advanceTimersByTimeAsync(1);
  await running;
  return alerts;
}

/** One failure short of an outage. */
const failingSince = (now: Moment): Health => ({ ...initialHealth('up', now), failures: 2, failingSince: now, conclusiveAt: now });

const titles = (alerts: readonly Alert[]): string[] => alerts.map(({ event, probe }) => `${event} ${probe}`);

describe('a reload', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('in the middle of a streak loses none of it: two failures before and one after are an outage', async () => {
    const now = systemClock();
    const failing = failingSince(now);
    const target = api(() => 'failed');
    expect(titles(await watchFor(100, target, storeWith(), awaitFirstAnswers(), failing))).toEqual(['firing api']);
    expect(titles(await watchFor(100, target, storeWith()))).toEqual([]);
  });
});

test('a watch keeps nothing of a look that is over: as many promises wait after 2,000 looks as after 200', async () => {
  const targets = Array.from({ length: 20 }, (_, index): Target => ({
    ...api(() => 'ok'),
    name: `api-${index}`,
    cadence: { intervalMs: 2, timeoutMs: 3_000, confirmIntervalMs: 2, failures: 3, successes: 2 },
    probe: () => Promise.resolve({ outcome: 'ok', detail: 'seen' }),
  }));
  const marks = [200, 2_000].map((count) => ({ count, reached: Promise.withResolvers<number>() }));
  let looks = 0;
  const watch = createWatch({
    targets,
    flap,
    store: storeWith(),
    commit: () => {},
    onLook: () => {
      looks += 1;
      for (const { count, reached } of marks) if (looks === count) reached.resolve(queryObjects(Promise, { format: 'count' }));
    },
    firstAnswers: awaitFirstAnswers(),
    carried: () => undefined,
    quietOf: () => undefined,
    clock: systemClock,
    logger,
  });
  const stopping = new AbortController();
  const running = watch.run(stopping.signal);
  const [few, many] = (await Promise.all(marks.map(({ reached }) => reached.promise))) as [number, number];
  stopping.abort();
  await running;
  expect(many).toBeLessThan(few + 500);
});

describe('an outage', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('is what the watch says of a target by name, as its snapshot does, from the third failure until it is back', async () => {
    let outcome: ProbeReport['outcome'] = 'failed';
    const parts = { store: storeWith(), commit: () => {}, carried: () => undefined, quietOf: () => undefined, clock: systemClock, logger };
    const watch = createWatch({ targets: [api(() => outcome)], flap, firstAnswers: awaitFirstAnswers(), ...parts });
    const stopping = new AbortController();
    const running = watch.run(stopping.signal);
    const seen: boolean[] = [];
    for (let second = 0; second < 20; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      if (second === 9) outcome = 'ok';
      expect(watch.isDown('api')).toBe(watch.snapshot()[0]?.status === 'down');
      if (seen.at(-1) !== watch.isDown('api')) seen.push(watch.isDown('api'));
    }
    expect([seen, watch.isDown('another')]).toEqual([[false, true, false], false]);
    stopping.abort();
    await vi.advanceTimersByTimeAsync(1);
    await running;
  });

  test('that begins in a millisecond which a clock set back has passed before is another one, and told', async () => {
    const now = systemClock();
    const failing = failingSince(now);
    const first = incidentId('api', now.at, 'down', () => false);
    const store = storeWith({ ...open('down', 1), id: first, endedAt: 2 }, { ...open('down', 1), id: `${first}-2`, endedAt: 3 });
    const alerts = await watchFor(
      100,
      api(() => 'failed'),
      store,
      awaitFirstAnswers(),
      failing,
    );
    expect(alerts.map(({ id, incidentId: of }) => [id, of])).toEqual([[`${first}-3.firing.1`, `${first}-3`]]);
  });
});

describe('what the process before left open', () => {
  test.each([
    ['down', 2_000, ['resolved api']],
    ['unknown', 2_000, ['known api']],
    ['flapping', 2_000, ['settled api']],
    ['degraded', 2_000, []],
    ['down', undefined, []],
  ] as const)('of kind %s, told at %s, of a target that is no longer watched, is ended: %j', (kind, firedAt, told) => {
    const commits: TickCommit[] = [];
    const commit = (tick: TickCommit): void => void commits.push(tick);
    const firstAnswers = awaitFirstAnswers();
    createWatch({
      targets: [],
      flap,
      store: storeWith(open(kind, firedAt)),
      commit,
      firstAnswers,
      carried: () => undefined,
      quietOf: () => undefined,
      clock: systemClock,
      logger,
    });
    expect(commits.flatMap(({ incidents }) => incidents)).toMatchObject([{ kind, endedAt: expect.any(Number) }]);
    expect(titles(commits.flatMap(({ alerts }) => alerts))).toEqual(told);
  });

  describe('and what its parent explained, when that is back already', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
    afterEach(() => void vi.useRealTimers());

    // It answers twice, at most 5 s, 2 s and twice 3 s after it is back, and a second more for a busy machine: 14 s.
    test.each([
      [5_000, 4_000, []],
      [5_000, 12_000, ['firing shop']],
      [-900_000, 12_000, []],
      [-900_000, 16_000, ['firing shop']],
    ])(
      '%i ms ago, gets what is left of its time to follow, and a whole one by a clock set back: after %i ms %j',
      async (agoMs, forMs, told) => {
        const at = Date.now();
        const outage = { ...open('down', at - 60_000), startedAt: at - 100_000, endedAt: at - agoMs };
        const explained = { ...open('down', undefined), id: 'shop-1', probe: 'shop', suppressedBy: 'api' };
        const { patience, ...rest } = api(() => 'failed');
        const shop = { ...rest, patience: { ...patience, startGraceMs: 0 }, name: 'shop', dependsOn: [['api']] };
        const store = storeWith(outage, explained);
        const left = { probe: 'shop', verdict: 'down', since: at, checkedAt: at, latencyMs: 1, detail: 'refused' } as const;
        store.write({ health: [left], incidents: [], messages: [] });
        expect(titles(await watchFor(forMs, [api(() => 'ok'), shop], store))).toEqual(told);
      },
    );
  });

  describe('in virtual time', { timeout: 60_000 }, () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
    afterEach(() => void vi.useRealTimers());

    test.each([
      ['down', 10_000, ['resolved api']],
      ['unknown', 10_000, ['known api']],
      ['flapping', 59_000, []],
      ['flapping', 80_000, ['settled api']],
    ] as const)('of kind %s is told after %i ms in which the target was well: %j', async (kind, ms, told) => {
      const store = storeWith(open(kind, 2_000));
      if (kind === 'down') {
        const left = { probe: 'api', verdict: 'down', since: 1_000, checkedAt: 1_000, latencyMs: 1, detail: 'x' } as const;
        store.write({ health: [left], incidents: [], messages: [] });
      }
      expect(
        titles(
          await watchFor(
            ms,
            api(() => 'ok'),
            store,
          ),
        ),
      ).toEqual(told);
    });
  });
});

describe('a target that goes down for a second every other second, for a minute, looked at every five', { timeout: 60_000 }, () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  // The first look, at once, finds it up: one that is found down has not gone down.
  test('is told by at most one outage, its end, and that it comes and goes, whatever the looks happen to meet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: 5_000 }), fc.integer({ min: 700, max: 1_300 }), async (fromMs, halfMs) => {
        const startMs = performance.now() + fromMs;
        const isDown = (): boolean => {
          const ms = performance.now() - startMs;
          return ms >= 0 && ms < 60_000 && Math.floor(ms / halfMs) % 2 === 0;
        };
        const told = titles(
          await watchFor(
            240_000,
            api(() => (isDown() ? 'failed' : 'ok')),
            storeWith(),
          ),
        );
        const whole = ['firing api', 'resolved api', 'flapping api', 'settled api'];
        expect([[], whole.slice(0, 2), whole]).toContainEqual(told);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an outage', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('is confirmed by looks that are apart, also while others that stand on the target fail and have it looked at', async () => {
    const blip = (): ProbeReport['outcome'] => (performance.now() - startMs < 1_000 ? 'failed' : 'ok');
    const child = (name: string): Target => ({ ...api(blip), name, dependsOn: [['api']] });
    const startMs = performance.now();
    expect(titles(await watchFor(20_000, [api(blip), child('site'), child('certificate'), child('shop')], storeWith()))).toEqual([]);
  });

  test('that is told from the start is no coming and going when another follows', async () => {
    const startMs = performance.now();
    const outages = [0, 60_000];
    const isDown = (): boolean => outages.some((at) => performance.now() - startMs >= at && performance.now() - startMs < at + 20_000);
    const target = api(() => (isDown() ? 'failed' : 'ok'));
    const told = await watchFor(110_000, { ...target, patience: { ...target.patience, startGraceMs: 0 } }, storeWith());
    expect(titles(told)).toEqual(['firing api', 'resolved api', 'firing api', 'resolved api']);
  });
});

/** Down while the condition says so, which gets the time since now. */
function downWhile(condition: (ms: number) => boolean): Target {
  const startMs = performance.now();
  return api(() => (condition(performance.now() - startMs) ? 'failed' : 'ok'));
}

describe('a target that is not up when the monitor starts', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  const neverCameUp = /^it has not come up since the monitor started, 1 m( \d s)? ago: seen$/;

  test.each([40_000, 50_000, 55_000, 59_000])('is not told when it comes up within its grace, as after %i ms', async (upAfterMs) => {
    const target = downWhile((ms) => ms < upAfterMs);
    expect(await watchFor(200_000, target, storeWith())).toEqual([]);
  });

  test('is told once when it does not, and that it never came up; then that it has', async () => {
    const told = await watchFor(
      200_000,
      downWhile((ms) => ms < 100_000),
      storeWith(),
    );
    expect(titles(told)).toEqual(['firing api', 'resolved api']);
    expect(told[0]?.detail).toMatch(neverCameUp);
    expect(Date.parse(told[0]?.decidedAt ?? '') - Date.parse(told[0]?.startedAt ?? '')).toBeLessThan(66_000);
  });

  test('has no grace left once it was up: an outage right after is told within the bound', async () => {
    const told = await watchFor(
      28_000,
      downWhile((ms) => ms >= 6_000),
      storeWith(),
    );
    expect(titles(told)).toEqual(['firing api']);
    expect(told[0]?.detail).toBe('seen');
  });

  test('is remembered over a reload: what was up before has no grace, and what waits gets no second one', async () => {
    const firstAnswers = awaitFirstAnswers();
    await watchFor(30_000, [downWhile(() => false), { ...downWhile(() => true), name: 'late' }], storeWith(), firstAnswers);
    const told = await watchFor(40_000, [downWhile(() => true), { ...downWhile(() => true), name: 'late' }], storeWith(), firstAnswers);
    expect(titles(told)).toEqual(['firing api', 'firing late']);
    expect(told[0]?.detail).toBe('seen');
    expect(told[1]?.detail).toMatch(neverCameUp);
  });
});
