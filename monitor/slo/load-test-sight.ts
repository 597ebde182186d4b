import type { Alert } from '../model/alert.ts';
import type { Moment } from '../model/look.ts';

/** Whether a load test runs, as the metrics of the APIs show it. */
export type LoadTestSight = {
  /** @param answers how many answers one was given since the look before */
  readonly note: (answers: number, now: Moment) => void;
  /** An alert with what whoever is woken must know of a load test that runs, or ran a moment ago. */
  readonly mention: (alert: Alert, now: Moment) => Alert;
};

/** Three looks: what began to break in the last seconds of a test is told after it. */
const freshMs = 3 * 60_000;

export function createLoadTestSight(): LoadTestSight {
  let last: { readonly answers: number; readonly seenMs: number } | undefined;
  return {
    note: (answers, { clockMs }) => {
      if (answers > 0) last = { answers, seenMs: clockMs };
    },
    mention: (alert, { clockMs }) => {
      if (!last || clockMs - last.seenMs > freshMs || alert.endedAt !== undefined) return alert;
      return { ...alert, facts: [['Load test', { code: 'loadTestSeen', answers: last.answers }], ...(alert.facts ?? [])] };
    },
  };
}
