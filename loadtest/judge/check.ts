import type { Measurement } from '../measurement/measurement.ts';
import type { Witness } from '../measurement/witness.ts';

/** One thing that was examined. Reports show all of them; the verdict follows from those that are broken. */
export type Check = {
  /** Stable, for scripts: `latency-p95`, `send-lag`, `orders-kept`. */
  readonly id: string;
  /**
   * `limit`: was it fast enough, with few enough errors? `content`: was every answer right? `invariant`: do the books agree?
   * `innocence`: can the figures be believed?
   */
  readonly kind: 'limit' | 'content' | 'invariant' | 'innocence';
  readonly title: string;
  /**
   * `excused`: missed, but client and machine may have made the miss themselves. `tolerated`: of client and machine, broken,
   * but it can only have made the service look slower, and nothing was missed because of it.
   */
  readonly outcome: 'met' | 'broken' | 'excused' | 'tolerated' | 'not-checked';
  /** What was found and what is allowed, with units. */
  readonly measured: string;
  readonly limit: string;
  /** One sentence: why it is broken or could not be checked; what it means. Empty when met without remark. */
  readonly reason: string;
  /** What can be looked up of it; none when met. */
  readonly witnesses?: readonly Witness[];
  /** Of innocence: true when it can only make the service look slower; else, once broken, even a PASS would prove nothing. */
  readonly onlySlows?: true;
  /** Of limits: whether it is about speed, so that one may ask what the service was short of. */
  readonly isSpeed?: true;
};

/** Examines a measurement for one matter. Pure: the same file gives the same checks, whenever and wherever it is judged. */
export type Judge = (measurement: Measurement) => readonly Check[];

export type CheckHead = Pick<Check, 'id' | 'kind' | 'title' | 'onlySlows' | 'isSpeed' | 'witnesses'>;

export const met = (head: CheckHead, measured: string, limit: string, reason = ''): Check => ({
  ...head,
  outcome: 'met',
  measured,
  limit,
  reason,
});

export const broken = (head: CheckHead, measured: string, limit: string, reason: string): Check => ({
  ...head,
  outcome: 'broken',
  measured,
  limit,
  reason,
});

/** A miss that client and machine may have made themselves: neither for nor against the service. */
export const excused = (head: CheckHead, measured: string, limit: string): Check => ({
  ...head,
  outcome: 'excused',
  measured,
  limit,
  reason: `client and machine were themselves so late that they may have made this: ${measured}`,
});

export const notChecked = (head: CheckHead, reason: string, limit = ''): Check => ({
  ...head,
  outcome: 'not-checked',
  measured: '–',
  limit,
  reason,
});
