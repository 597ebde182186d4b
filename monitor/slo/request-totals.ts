import type { Counts } from './burn.ts';

/** Answers to customers, and how many a load test was given beside them, which are part of neither. */
export type Answers = Counts & { readonly loadTest: number };

/** Answers since a process began, by the worker that gave them. */
export type Totals = ReadonlyMap<string, Answers>;

export type Indicator = {
  /** Answers that took longer are bad as well; undefined: however long. A bound of the histogram, in s. */
  readonly slowerThanSeconds: number | undefined;
};

const histogram = 'atalaya_http_request_duration_seconds';
/** What machines ask of its health says nothing of what its users see. */
const askedByMachines = /^\/(?:health_check|livez|readyz)/;

/**
 * Reads from an API's /metrics how many answers were good and how many were bad: server errors, and slow ones where that is asked.
 * Refusals of what a client did wrong are good. The API marks what it answered to the credential of a load test, which no client
 * can do by itself. Pure.
 * @throws when the histogram has no such bound
 */
export function readTotals(text: string, { slowerThanSeconds }: Indicator): Totals {
  const totals = new Map<string, { good: number; bad: number; loadTest: number }>();
  const bound = slowerThanSeconds === undefined ? undefined : String(slowerThanSeconds);
  let hasBound = bound === undefined;
  for (const line of text.split('\n')) {
    const series = /^atalaya_http_request_duration_seconds_(count|bucket)\{([^}]*)\} (\S+)/.exec(line);
    if (!series) continue;
    const [, part = '', labels = '', value = ''] = series;
    const { worker, route = '', status = '', le, load } = labelsOf(labels);
    if (worker === undefined || askedByMachines.test(route)) continue;
    const own = totals.get(worker) ?? { good: 0, bad: 0, loadTest: 0 };
    totals.set(worker, own);
    if (load === 'test') {
      if (part === 'count') own.loadTest += Number(value);
      if (le === bound) hasBound = true;
      continue;
    }
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
export function increase(before: Totals, now: Totals): Answers {
  let [good, bad, loadTest] = [0, 0, 0];
  for (const [worker, counts] of now) {
    const last = before.get(worker);
    if (!last) continue;
    const isAnew = counts.good + counts.bad + counts.loadTest < last.good + last.bad + last.loadTest;
    good += Math.max(0, counts.good - (isAnew ? 0 : last.good));
    bad += Math.max(0, counts.bad - (isAnew ? 0 : last.bad));
    loadTest += Math.max(0, counts.loadTest - (isAnew ? 0 : last.loadTest));
  }
  return { good, bad, loadTest };
}
