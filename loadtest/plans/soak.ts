import { standardJudges } from '../judge/standard.ts';
import { shop } from '../scenarios/shop/shop.ts';
import { shopJudges } from '../scenarios/shop/judges.ts';
import type { Plan } from './plan.ts';

/** What only time shows: leaks, pools that lose connections, tables that grow. Longer with --duration. */
export const soak: Plan = {
  name: 'soak',
  summary: '200 users for 10 minutes, or as long as --duration says: nothing grows, nothing slows down, nothing is lost.',
  scenario: shop({ browse: 6, buy: 3, lookBack: 1 }),
  phases: [
    {
      name: 'soak',
      script: 'shop',
      load: { kind: 'closed', users: 200, thinkMs: [1_000, 3_000] },
      warmUpMs: 10_000,
      durationMs: 600_000,
      timeoutMs: 15_000,
    },
  ],
  judges: [...standardJudges, ...shopJudges],
  budget: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
};
