import type { Judge } from '../judge/check.ts';
import type { Highlight } from '../judge/figures.ts';
import type { Budget, Measurement, People, Phase } from '../measurement/measurement.ts';
import type { Scenario } from '../scenarios/scenario.ts';

/** One load test as a value: what is done, how much of it, who judges it, and within which limits. */
export type Plan = {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly scenario: Scenario;
  /** Played one after the other on one stage. The number of processes is decided when the run begins. */
  readonly phases: readonly [PlannedPhase, ...PlannedPhase[]];
  /** Played after them: what follows from what was measured so far. Undefined from it: that was all. Pure. */
  readonly course?: (soFar: Measurement) => PlannedPhase | undefined;
  /** Whom the target must suffice for, where the load does not say it. */
  readonly people?: People;
  readonly judges: readonly Judge[];
  /** Figures of its own that a report shows beside those of its scenario. */
  readonly highlights?: (measurement: Measurement) => readonly Highlight[];
  readonly budget: Budget;
  /** False where what the client adds does not matter, because it adds it to what is compared with too. */
  readonly calibrates?: false;
};

export type PlannedPhase = Omit<Phase, 'processes'>;
