import { expect, test } from 'vitest';
import { rowOf, type Measured } from '#bench/overload.ts';

const answered = (count: number) => ({ count, p50Ms: 1, p99Ms: 2, maxMs: 3 });
const measured = (statuses: Record<string, number>, cpuMs: number, { unsent = 0, broken = 0 } = {}): Measured => ({
  report: { statuses: Object.fromEntries(Object.entries(statuses).map(([status, count]) => [status, answered(count)])), unsent, broken },
  seconds: 2,
  cpuMs,
  livezMs: 5,
});

test('what is done counts as good, as a share of the peak; a refusal costs what the good answers leave of the CPU', () => {
  const peak = measured({ '201': 1_000 }, 500);
  const row = rowOf('orders', 'now', measured({ '201': 900, '503': 10_000, '409': 3 }, 750, { unsent: 4, broken: 5 }), peak);
  expect(row).toMatchObject({ goodPerSecond: 450, ofPeak: 0.9, good: { count: 900 }, refused: { count: 10_000 }, lost: 12 });
  // 750 ms less the 450 ms that 900 orders cost at the peak.
  expect(row.refusalUs).toBeCloseTo(30);
});

test('of the peak itself there is no share, and of few refusals no cost', () => {
  expect(rowOf('orders', 'now', measured({ '201': 1_000 }, 500))).toMatchObject({ ofPeak: undefined, refused: undefined, lost: 0 });
  expect(rowOf('orders', 'now', measured({ '201': 1_000, '503': 499 }, 500), measured({ '201': 1_000 }, 500)).refusalUs).toBeUndefined();
});
