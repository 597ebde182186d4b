import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { detectionBoundMs, recoveryBoundMs, type Cadence } from '#monitor/health/detection-bound.ts';
import type { Target } from '#monitor/health/target.ts';
import { createWatch } from '#monitor/health/watch.ts';
import type { Probe } from '#monitor/probes/probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const byDefault: Cadence = { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 };

describe('the stated bound', () => {
  test('is 19 s by default, 22 s for what depends on something, one second of them for a busy machine', () => {
    expect(detectionBoundMs(byDefault)).toBe(19_000);
    expect(detectionBoundMs(byDefault, [byDefault])).toBe(22_000);
    expect(recoveryBoundMs(byDefault)).toBe(14_000);
  });

  test('covers a look that takes longer than the interval', () => {
    expect(detectionBoundMs({ ...byDefault, intervalMs: 1_000 })).toBe(17_000);
  });
});

type Event = { readonly name: string; readonly event: string; readonly atMs: number };

/** A world whose targets go down and come back at given moments; a look takes as long as `durations` says, in turn. */
type World = {
  readonly downFromMs: number;
  readonly upFromMs: number;
  readonly isParentDownToo: boolean;
  readonly durations: readonly number[];
};

/** Runs the real watch in virtual time and says when what was told. */
async function watchWorld(world: World, cadences: { readonly child: Cadence; readonly parent: Cadence }, forMs: number): Promise<Event[]> {
  const store = createStore(openDatabase(':memory:'));
  const events: Event[] = [];
  const isDownAt = (atMs: number): boolean => atMs >= world.downFromMs && atMs < world.upFromMs;
  let turn = 0;
  const probe =
    (fails: boolean, timeoutMs: number): Probe =>
    async () => {
      const begun = performance.now() - startMs;
      // What a look finds is what the target was when the look began: the worst case for the bound.
      const isDown = fails && isDownAt(begun);
      const takesMs = Math.min(isDown ? timeoutMs : timeoutMs - 1, world.durations[turn++ % world.durations.length] ?? 0);
      await new Promise((resolve) => setTimeout(resolve, takesMs));
      return { outcome: isDown ? 'failed' : 'ok', detail: 'seen' };
    };
  const target = (name: string, cadence: Cadence, fails: boolean, dependsOn: string[]): Target => ({
    name,
    kind: 'http',
    dependsOn: dependsOn.map((parent) => [parent]),
    degradedBy: [],
    patience: { slowMs: Infinity, unknownAfterMs: Infinity, warnAfterMs: Infinity, remindAfterMs: Infinity, startGraceMs: 3_600_000 },
    cadence,
    probe: probe(fails, cadence.timeoutMs),
  });
  const startMs = performance.now();
  const watch = createWatch({
    flap: undefined,
    targets: [target('api', cadences.child, true, ['postgresql']), target('postgresql', cadences.parent, world.isParentDownToo, [])],
    store,
    commit: (tick) => {
      for (const { probe: name, event } of tick.alerts) events.push({ name, event, atMs: performance.now() - startMs });
    },
    carried: () => undefined,
    quietOf: () => undefined,
    clock: () => ({ at: Date.now(), clockMs: performance.now() }),
    // Both were up once: from then on no grace counts.
    firstAnswers: { awaitedSince: { at: 0, clockMs: 0 }, from: new Set(['api', 'postgresql']) },
    logger,
  });
  const stopping = new AbortController();
  const running = watch.run(stopping.signal);
  await vi.advanceTimersByTimeAsync(forMs);
  stopping.abort();
  await vi.advanceTimersByTimeAsync(1);
  await running;
  store.close();
  return events;
}

describe('in virtual time', { timeout: 60_000 }, () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  const cadence = fc.record({
    intervalMs: fc.integer({ min: 500, max: 10_000 }),
    timeoutMs: fc.integer({ min: 100, max: 4_000 }),
    confirmIntervalMs: fc.integer({ min: 100, max: 3_000 }),
    failures: fc.integer({ min: 1, max: 4 }),
    successes: fc.integer({ min: 1, max: 3 }),
  });
  const scenario = fc.record({
    child: cadence,
    parent: cadence,
    downFromMs: fc.integer({ min: 15_000, max: 40_000 }),
    durations: fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 9 }),
  });

  test('an outage of one target alone is told within its bound, and its end within the recovery bound', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ child, parent, downFromMs, durations }) => {
        const boundMs = detectionBoundMs(child, [parent]);
        const upFromMs = downFromMs + boundMs;
        const endMs = upFromMs + recoveryBoundMs(child);
        const events = await watchWorld({ downFromMs, upFromMs, isParentDownToo: false, durations }, { child, parent }, endMs + 5);
        expect(events.map(({ name, event }) => `${event} ${name}`)).toEqual(['firing api', 'resolved api']);
        expect(events[0]?.atMs).toBeLessThanOrEqual(downFromMs + boundMs + 5);
        expect(events[1]?.atMs).toBeLessThanOrEqual(endMs + 5);
      }),
      { numRuns: 60 },
    );
  });

  test('an outage of the parent is told within the parent’s bound, and the child’s never', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ child, parent, downFromMs, durations }) => {
        const boundMs = detectionBoundMs(parent);
        const upFromMs = downFromMs + boundMs + 60_000;
        const endMs = upFromMs + recoveryBoundMs(parent) + recoveryBoundMs(child);
        const events = await watchWorld({ downFromMs, upFromMs, isParentDownToo: true, durations }, { child, parent }, endMs + 5);
        expect(events.map(({ name, event }) => `${event} ${name}`)).toEqual(['firing postgresql', 'resolved postgresql']);
        expect(events[0]?.atMs).toBeLessThanOrEqual(downFromMs + boundMs + 5);
      }),
      { numRuns: 60 },
    );
  });
});
