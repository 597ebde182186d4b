import type { Judgement } from '../judge/verdict.ts';
import type { Highlight } from '../judge/figures.ts';
import type { BaselineComparison } from './baseline.ts';
import type { Measurement } from '../measurement/measurement.ts';

/** Everything a report is made of. */
export type Report = {
  readonly measurement: Measurement;
  readonly judgement: Judgement;
  readonly highlights: readonly Highlight[];
  /** What the target's books come to, where they are not shown as they were measured. */
  readonly books?: object | null | undefined;
  /** This run beside an earlier one, where one was named. Decides nothing. */
  readonly baseline?: BaselineComparison | undefined;
};
