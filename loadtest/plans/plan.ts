import type { Judge } from '../judge/check.ts';
import type { Budget, Phase } from '../measurement/measurement.ts';
import type { Scenario } from '../scenarios/scenario.ts';

/** One load test as a value: what is done, how much of it, who judges it, and within which limits. */
export type Plan = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly scenario: Scenario;
  /** Played one after the other on one stage. The number of processes is decided when the run begins. */
  readonly phases: readonly [PlannedPhase, ...PlannedPhase[]];
  readonly judges: readonly Judge[];
  readonly budget: Budget;
};

export type PlannedPhase = Omit<Phase, 'processes'>;
