import type { Plan } from './plan.ts';

/** The release bar: 400 people in the shop at once, part of whom buy. */
export const users: Plan = {
  name: 'users',
  summary: '400 concurrent users browse, filter, read and order for 30 s; p95 < 200 ms, p99 < 500 ms, errors < 1 %.',
  users: 400,
  thinkMs: [1_000, 3_000],
  warmUpMs: 5_000,
  durationMs: 30_000,
  timeoutMs: 15_000,
  calibrationMs: 3_000,
  weights: { browse: 6, buy: 3, lookBack: 1 },
  thresholds: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
};
