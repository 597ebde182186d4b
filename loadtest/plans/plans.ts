import type { Plan } from './plan.ts';
import { smoke } from './smoke.ts';
import { users } from './users.ts';

/** What one command runs: plans in this order, on the same stack, up to the first that fails. */
export type Programme = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly plans: readonly [Plan, ...Plan[]];
};

const alone = (plan: Plan): Programme => ({ name: plan.name, summary: plan.summary, plans: [plan] });

const release: Programme = {
  name: 'release',
  summary: 'What has to pass before a release: smoke, then users.',
  plans: [smoke, users],
};

/** Everything that can be run, by its name. */
export const programmes: Readonly<Record<string, Programme>> = Object.fromEntries(
  [release, alone(smoke), alone(users)].map((programme) => [programme.name, programme]),
);

/** What is meant when no plan is named. */
export const defaultProgramme = release.name;
