import { showCount, showDuration } from '#lib/show.ts';
import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { droppedCount, sumCounts } from '../measurement/merge.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';
import { phaseAt } from './figures.ts';
import { instrumentShare } from './slowness.ts';

/**
 * Whether an open load was the one its schedule asked for: every request sent, and sent when it was due. Of loads without a
 * schedule it says nothing.
 */
export function judgeArrivals(measurement: Measurement): Check[] {
  return measurement.phases.some(({ load }) => load.kind === 'open') ? [judgeDropped(measurement), judgeLag(measurement)] : [];
}

function judgeDropped(measurement: Measurement): Check {
  const head = { id: 'arrivals-sent', kind: 'innocence', title: 'Every request that was due was sent' } as const;
  const open = measurement.phases.filter(({ load }) => load.kind === 'open');
  const arrivals = open.flatMap((phase) => phase.arrivals ?? []);
  const due = arrivals.reduce((sum, one) => sum + one.due, 0);
  const dropped = arrivals.reduce((sum, one) => sum + droppedCount(one), 0);
  const { sent } = sumCounts(measurement.slices.filter(({ second }) => phaseAt(measurement, second)?.load.kind === 'open'));
  const [measured, limit] = [`${showCount(dropped)} of ${showCount(due)} dropped`, '0'];
  if (dropped > 0) {
    const users = Math.max(...open.map(({ load }) => load.users));
    const reason = `${measured}: all ${showCount(users)} users were waiting for answers, or the client stood still, so less was asked than meant`;
    return broken(head, measured, limit, reason);
  }
  if (sent !== due) return broken(head, `${showCount(sent)} of ${showCount(due)} sent`, limit, 'the client lost count of its schedule');
  return due === 0 ? notChecked(head, 'nothing was due', limit) : met(head, measured, limit);
}

/** Of the p95 limit, and in no case more: a request that leaves later does not arrive when the schedule says. */
const lagShare = instrumentShare / 2;
const maxLagMs = 10;

function judgeLag({ phases, budget }: Measurement): Check {
  const head = { id: 'arrivals-on-time', kind: 'innocence', title: 'Sent later than due (p99)', onlySlows: true } as const;
  const lag = mergeHistograms(phases.flatMap(({ load, sendLag }) => (load.kind === 'open' ? sendLag : [])));
  const p99Ms = percentileMs(lag, 99);
  if (p99Ms === undefined) return notChecked(head, 'nothing was sent in the measured window');
  const limitMs = Math.min(maxLagMs, lagShare * budget.p95Ms);
  const [measured, limit] = [showDuration(p99Ms), `≤ ${showDuration(limitMs)}`];
  if (p99Ms <= limitMs) return met(head, measured, limit);
  return broken(
    head,
    measured,
    limit,
    `1 % of the requests left ${measured} or more after they were due, which counts as the service's time`,
  );
}
