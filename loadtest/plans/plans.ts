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

/** What one command runs: plans in this order, on the same stack, up to the first that fails. */
export type Gate = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly plans: readonly [Plan, ...Plan[]];
};

const release: Gate = { name: 'release', summary: 'What has to pass before a release: smoke, then users.', plans: [smoke, users] };

/** Everything a command line can ask for, by its name: each plan alone, and those that run several. */
export const gates: Readonly<Record<string, Gate>> = {
  [release.name]: release,
  ...Object.fromEntries(Object.values(plans).map((plan) => [plan.name, { ...plan, plans: [plan] }])),
};

/** What is meant when none is named. */
export const defaultGate = release.name;
