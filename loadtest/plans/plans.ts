import { capacity } from './capacity.ts';
import { journeysAgain } from './journeys.ts';
import type { Plan } from './plan.ts';
import { smoke } from './smoke.ts';
import { soak } from './soak.ts';
import { users } from './users.ts';

/** Every plan there is, by its name. */
export const plans: Readonly<Record<string, Plan>> = Object.fromEntries([smoke, users, capacity, soak].map((plan) => [plan.name, plan]));

/** What a run of that name is judged by; undefined: there is no such plan. */
export const planOf = (name: string): Plan | undefined => plans[name] ?? journeysAgain.find((plan) => plan.name === name);
