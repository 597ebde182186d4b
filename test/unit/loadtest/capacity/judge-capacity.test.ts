import { describe, expect, test } from 'vitest';
import { capacityHighlights, demandOf, judgeCapacity } from '#loadtest/capacity/judge-capacity.ts';
import type { Measurement, PlayedPhase } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement, histogramOf, many, quietSecond, slice, withPhase } from '../build-measurement.ts';

/** Tries as far apart as half of the lower. */
const coarse = { p95Ms: 200, p99Ms: 500, errorRate: 0.01, precision: 1.5 };
const people = { users: 400, thinkMs: [1_000, 3_000] } as const;

type Try = {
  readonly rate: number;
  readonly ms: number;
  readonly answers?: number;
  readonly dropped?: number;
  readonly poolWaitMs?: number;
};

/** Each try a phase of two seconds with a hundred answers each, or as many as given, all as slow as given. */
function searched(...tries: readonly Try[]): Measurement {
  const [template] = withPhase({}).phases as [PlayedPhase];
  const phases = tries.map(({ rate, ms, answers = 100, dropped = 0, poolWaitMs = 0 }, i): PlayedPhase => ({
    ...template,
    name: `${rate}/s`,
    load: {
      kind: 'open',
      users: 100,
      spacing: 'poisson',
      stages: [{ fromPerSecond: rate, toPerSecond: rate, durationMs: 2_000 }],
    },
    warmUpMs: 0,
    durationMs: 2_000,
    startSecond: 2 * i,
    arrivals: { due: 2 * answers + dropped, dropped: dropped === 0 ? [] : [[2 * i, dropped]] },
    serverTimings: [
      {
        endpoint: 'GET /products/:id',
        band: Math.floor(Math.log2(ms)),
        count: 200,
        latencySumMs: 200 * ms,
        sumMs: { queue: 0, pool: 200 * poolWaitMs, db: 0, app: 0 },
        impossible: 0,
      },
    ],
  }));
  const seconds = tries.flatMap(({ ms, answers = 100 }, i) => [2 * i, 2 * i + 1].map((second) => ({ second, all: many(answers, ms) })));
  return healthyMeasurement({
    people,
    budget: coarse,
    phases,
    slices: seconds.map(({ second, all }) => slice(second, all, { service: histogramOf(...all) })),
    machine: seconds.map(({ second }) => quietSecond(second)),
  });
}

const checkOf = (measurement: Measurement) => judgeCapacity(measurement)[0];

const enough: readonly Try[] = [
  { rate: 250, ms: 10 },
  { rate: 500, ms: 600, poolWaitMs: 500 },
  { rate: 354, ms: 20 },
  { rate: 500, ms: 600, poolWaitMs: 500 },
  { rate: 354, ms: 20 },
  { rate: 354, ms: 20 },
];

describe('the capacity', () => {
  test('that is enough for the people is met, with its interval and what limits it', () => {
    expect(checkOf(searched(...enough))).toMatchObject({
      id: 'capacity',
      outcome: 'met',
      measured: '354/s (missed at 500/s)',
      limit: '≥ 200/s, what 400 people pausing 1–3 s ask for',
      reason: expect.stringMatching(/^at 500\/s requests waited for a database connection \(pool: 8\d\.\d % of/),
    });
  });

  test('is held beside the highest point of the Universal Scalability Law, where that fits what was measured', () => {
    // Of so many under way: throughput by the law, and latency by Little's.
    const lawful = [1, 2, 4, 8, 16, 24, 300].map((underWay): Try => {
      const answers = Math.round((100 * underWay) / (1 + 0.05 * (underWay - 1) + 0.001 * underWay * (underWay - 1)));
      return { rate: underWay === 300 ? 900 : answers, answers, ms: (1_000 * underWay) / answers };
    });
    const [kept, missed] = [lawful.at(-2), lawful.at(-1)] as [Try, Try];
    const check = checkOf(searched(...lawful, missed, kept, kept));
    expect(check?.measured).toBe('888/s (missed at 900/s)');
    const [, highest] = /at most (\d+)\/s \(σ 0\.05\d, κ 0\.0010\d, R² 1\.00\)$/.exec(check?.reason ?? '') ?? [];
    // √(0.95 / 0.001) = 31 under way: 100 × 31 ÷ (1 + 1.5 + 0.93).
    expect(Number(highest)).toBeCloseTo(904, -1);
    expect(checkOf(searched(...enough))?.reason).toMatch(/Universal Scalability Law: not used, it takes 6 levels/);
  });

  test('that is too small is broken, with both figures in one sentence', () => {
    const check = checkOf({ ...searched(...enough), people: { users: 1_000, thinkMs: [2_000, 2_000] } });
    expect(check).toMatchObject({ kind: 'limit', outcome: 'broken' });
    expect(check?.reason).toMatch(
      /^its capacity is 354\/s \(missed at 500\/s\), needed is ≥ 500\/s, what 1,000 people pausing 2 s ask for; at/,
    );
  });

  test('that the client could not tell makes the run prove nothing, and says up to where it could', () => {
    const check = checkOf(searched({ rate: 250, ms: 10 }, { rate: 500, ms: 10, dropped: 3 }, { rate: 500, ms: 10, dropped: 2 }));
    expect(check).toMatchObject({ kind: 'innocence', outcome: 'broken', measured: '≥ 250/s' });
    expect(check?.reason).toMatch(/^at 500\/s client and machine could not tell: 2 of 202 dropped.*; up to 250\/s it kept its limits$/);
  });

  test('that was missed while nobody watched the machine proves nothing', () => {
    const missed = searched({ rate: 50, ms: 10 }, { rate: 100, ms: 600 }, { rate: 100, ms: 600 });
    const unwatched = { ...missed, machine: missed.machine.filter(({ second }) => second < 2) };
    expect(checkOf(unwatched)?.reason).toBe(
      'at 100/s client and machine could not tell: the watch over this machine itself stood still; up to 50/s it kept its limits',
    );
  });

  test('is unknown to a run that was ended before', () => {
    expect(checkOf(searched({ rate: 250, ms: 10 }))).toMatchObject({ kind: 'innocence', outcome: 'broken', measured: 'unknown' });
    expect(checkOf(healthyMeasurement({ people, phases: [] }))?.outcome).toBe('not-checked');
  });

  test('even the slowest rate being too much is the service’s own failure', () => {
    const check = checkOf(searched({ rate: 1, ms: 600 }, { rate: 1, ms: 600 }));
    expect(check).toMatchObject({ kind: 'limit', outcome: 'broken', measured: '< 1/s' });
  });

  test('is shown with the headroom it leaves', () => {
    expect(capacityHighlights(searched(...enough))).toEqual([
      { label: 'Capacity', value: '354/s (missed at 500/s)', note: 'in 6 tries' },
      { label: 'Headroom', value: '1.8 ×', note: 'what 400 people pausing 1–3 s ask for: 200/s' },
    ]);
  });

  test('asked for is people over their mean pause', () => {
    expect(demandOf({ users: 30, thinkMs: [500, 1_500] })).toBe(30);
  });
});
