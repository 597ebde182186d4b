import { standardJudges } from '../judge/standard.ts';
import { shop } from '../scenarios/shop/shop.ts';
import { shopJudges } from '../scenarios/shop/judges.ts';
import type { Plan } from './plan.ts';

/** Does the shop work at all under more than one user? Quick enough to run before every push. */
export const smoke: Plan = {
  name: 'smoke',
  summary: '20 users who hardly pause, for 8 s: everything is answered rightly and nothing is lost.',
  scenario: shop({ browse: 4, buy: 4, lookBack: 2 }),
  phases: [
    {
      name: 'smoke',
      script: 'shop',
      load: { kind: 'closed', users: 20, thinkMs: [200, 600] },
      warmUpMs: 2_000,
      durationMs: 8_000,
      timeoutMs: 12_000,
    },
  ],
  judges: [...standardJudges, ...shopJudges],
  budget: { p95Ms: 200, p99Ms: 500, errorRate: 0.01 },
};
