import { standardJudges } from '../judge/standard.ts';
import { shop } from '../scenarios/shop/shop.ts';
import { shopJudges } from '../scenarios/shop/judges.ts';
import type { Plan } from './plan.ts';

/** The release bar: 400 people in the shop at once, part of whom buy. */
export const users: Plan = {
  name: 'users',
  summary: '400 concurrent users browse, filter, read and order for 30 s; p95 < 200 ms, p99 < 500 ms, errors < 1 %.',
  scenario: shop({ browse: 6, buy: 3, lookBack: 1 }),
  phases: [
    {
      name: 'users',
      script: 'shop',
      load: { kind: 'closed', users: 400, thinkMs: [1_000, 3_000] },
      warmUpMs: 5_000,
      durationMs: 30_000,
      // Longer than the API's own DB_POOL_TIMEOUT, so that its refusal is seen and not cut off.
      timeoutMs: 15_000,
    },
  ],
  judges: [...standardJudges, ...shopJudges],
  budget: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
};
