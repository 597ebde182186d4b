import type { Plan } from './plan.ts';
import { smoke } from './smoke.ts';
import { users } from './users.ts';

/** Every plan by its name. */
export const plans: Readonly<Record<string, Plan>> = { smoke, users };
