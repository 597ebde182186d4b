import type { Run } from './command.ts';
import { ratelimitRun } from './conformance/command.ts';
import type { Mixes } from './options.ts';
import type { Plan } from './plans/plan.ts';
import { plans } from './plans/plans.ts';
import { smoke } from './plans/smoke.ts';
import { users } from './plans/users.ts';
import { poolRun } from './pool/command.ts';

/** What one command plays, in this order, up to the first that fails. */
export type Gate = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** On one target. */
  readonly plans: readonly [Plan, ...Plan[]];
  /** After them: what harms a shop, and therefore starts throw-away ones of its own; never played on a target that is given. */
  readonly runs?: readonly Run[];
};

const release: Gate = {
  name: 'release',
  summary: 'What has to pass before a release: smoke, users, pool and ratelimit. Flags on the load are for smoke and users.',
  plans: [smoke, users],
  runs: [poolRun(), ratelimitRun()],
};

/** Everything a command line can ask for, by its name: each plan alone, and those that run several. */
export const gates: Readonly<Record<string, Gate>> = {
  [release.name]: release,
  ...Object.fromEntries(Object.values(plans).map((plan) => [plan.name, gateOf(plan)])),
};

/** A plan alone. */
export function gateOf(plan: Plan): Gate {
  return { name: plan.name, summary: plan.summary, plans: [plan] };
}

/** What is meant when none is named. */
export const defaultGate = release.name;

/** What can be mixed into the plans of a gate. */
export const mixesOf = (gate: Gate): Mixes => Object.assign({}, ...gate.plans.map(({ scenario }) => scenario.mixes)) as Mixes;
