import type { Plan } from './plan.ts';

/** Does the shop work at all under more than one user? Quick enough to run before every push. */
export const smoke: Plan = {
  name: 'smoke',
  summary: '20 users who hardly pause, for 8 s: everything is answered rightly and nothing is lost.',
  users: 20,
  thinkMs: [200, 600],
  warmUpMs: 2_000,
  durationMs: 8_000,
  timeoutMs: 12_000,
  calibrationMs: 2_000,
  weights: { browse: 4, buy: 4, lookBack: 2 },
  thresholds: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
};
