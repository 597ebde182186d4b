import type { Judgement } from '../judge/verdict.ts';
import type { Thresholds } from '../judge/thresholds.ts';
import type { Measurement } from '../measurement/measurement.ts';

/** Everything a report is made of. */
export type Report = {
  readonly measurement: Measurement;
  readonly thresholds: Thresholds;
  readonly judgement: Judgement;
};
