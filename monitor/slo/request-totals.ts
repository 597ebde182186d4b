import type { Counts } from './burn.ts';

/** Answers since a process began, by the worker that gave them. */
export type Totals = ReadonlyMap<string, Counts>;

export type Indicator = {
  /** Answers that took longer are bad as well; undefined: however long. A bound of the histogram, in s. */
  readonly slowerThanSeconds: number | undefined;
};

const histogram = 'atalaya_http_request_duration_seconds';
/** What machines ask of its health says nothing of what its users see. */
const askedByMachines = /^\/(?:health_check|livez|readyz)/;

/**
 * Reads from an API's /metrics how many answers were good and how many were bad: server errors, and slow ones where that is asked.
 * Refusals of what a client did wrong are good. Pure.
 * @throws when the histogram has no such bound
 */
export function readTotals(text: string, { slowerThanSeconds }: Indicator): Totals {
  const totals = new Map<string, { good: number; bad: number }>();
  const bound = slowerThanSeconds === undefined ? undefined : String(slowerThanSeconds);
  let hasBound = bound === undefined;
  for (const line of text.split('\n')) {
    const series = /^atalaya_http_request_duration_seconds_(count|bucket)\{([^}]*)\} (\S+)/.exec(line);
    if (!series) continue;
    const [, part = '', labels = '', value = ''] = series;
    const { worker, route = '', status = '', le } = labelsOf(labels);
    if (worker === undefined || askedByMachines.test(route)) continue;
    const own = totals.get(worker) ?? { good: 0, bad: 0 };
    totals.set(worker, own);
    const isError = status.startsWith('5');
    if (part === 'count') own.bad += isError || bound !== undefined ? Number(value) : 0;
    if (part === 'count' && bound === undefined && !isError) own.good += Number(value);
    if (part === 'bucket' && bound !== undefined && le === bound) {
      hasBound = true;
      if (isError) continue;
      // Counted as bad with all others above.
      own.good += Number(value);
      own.bad -= Number(value);
    }
  }
  if (!hasBound && totals.size > 0) throw new Error(`${histogram} has no bound of ${bound} s`);
  return totals;
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]));
}

/** What came since the totals before; a worker that counts less than before has begun anew, one that is new or silent tells nothing yet. Pure. */
export function increase(before: Totals, now: Totals): Counts {
  let [good, bad] = [0, 0];
  for (const [worker, counts] of now) {
    const last = before.get(worker);
    if (!last) continue;
    const isAnew = counts.good + counts.bad < last.good + last.bad;
    good += Math.max(0, counts.good - (isAnew ? 0 : last.good));
    bad += Math.max(0, counts.bad - (isAnew ? 0 : last.bad));
  }
  return { good, bad };
}
