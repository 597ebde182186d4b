import { showCount, showCountOf, showDuration, showShare } from '#lib/show.ts';
import { broken, excused, met, notChecked, type Check, type Judge } from '../../judge/check.ts';
import { timedSlices } from '../../judge/figures.ts';
import { certainErrors, failuresOf, slowestOf, witnessesOf } from '../../judge/limits.ts';
import { allowanceOf, noAllowance, type Allowance } from '../../judge/slowness.ts';
import { countOver, latenciesOf, serviceTimesOf } from '../../measurement/latencies.ts';
import { settledCount } from '../../measurement/merge.ts';
import type { Measurement, Slice } from '../../measurement/measurement.ts';
import { maxWitnesses } from '../../measurement/witness.ts';
import { rules, type Rule } from './hold-answer.ts';

/** What a run of journeys looked at, for whoever reads its report; its "books". */
export type Looked = {
  /** Endpoints of which nothing but the status was expected. */
  readonly statusOnly: readonly string[];
};

/** What must hold of answers besides the limits that every plan has. */
export const journeyJudges: readonly Judge[] = [judgeAnswers, judgeUnlooked, judgeLongest, judgeObjective];

const ruleOf = (fault: string): Rule => {
  const [first = ''] = fault.split(' ');
  // An answer that breaks HTTP never came to whoever knows the rules.
  return Object.hasOwn(rules, first) ? (first as Rule) : 'answer-complete';
};

/** One wrong answer is a defect: there is no budget for them. */
function judgeAnswers(measurement: Measurement): Check[] {
  const wrong = failuresOf(measurement).filter(({ outcome }) => outcome === 'wrong-answer');
  return (Object.keys(rules) as Rule[]).map((rule) => {
    const found = wrong.filter(({ fault }) => ruleOf(fault) === rule);
    const head = { id: rule, kind: 'content', title: rules[rule] } as const;
    const count = found.reduce((sum, one) => sum + one.count, 0);
    if (count === 0) return met(head, '0', '0');
    const witnesses = witnessesOf(found);
    const says = `${found[0]?.endpoint}: ${witnesses[0]?.says ?? rules[rule]}`;
    return broken({ ...head, witnesses }, showCount(count), '0', count === 1 ? says : `${showCount(count)} times, such as ${says}`);
  });
}

function judgeUnlooked({ books }: Measurement): Check[] {
  const { statusOnly = [] } = (books as Looked | null) ?? {};
  const head = { id: 'answers-looked-into', kind: 'content', title: 'Something is expected of every answer besides its status' } as const;
  return [
    statusOnly.length === 0
      ? met(head, 'all', 'all')
      : notChecked(head, `nothing is expected of what is in ${statusOnly.join(', ')}`, 'all'),
  ];
}

type Slow = { readonly endpoint: string; readonly limitMs: number; readonly bad: number; readonly certain: number };

const describeSlow = ({ endpoint, limitMs, bad }: Slow): string =>
  `${endpoint}: ${showCountOf(bad, 'answer')} took over ${showDuration(limitMs)}`;

/** Steps whose every answer must come within a time of its own. */
function judgeLongest(measurement: Measurement): Check[] {
  const wanted = Object.entries(measurement.budget.endpoints ?? {}).flatMap(([endpoint, { longestMs }]) =>
    longestMs === undefined ? [] : [{ endpoint, limitMs: longestMs }],
  );
  if (wanted.length === 0) return [];
  const head = { id: 'longest-answer', kind: 'limit', title: 'Every answer within the time its step allows', isSpeed: true } as const;
  const allowed = allowanceOf(measurement);
  const missed = wanted.flatMap(({ endpoint, limitMs }): Slow[] => {
    const slices = timedSlices(measurement).filter((slice) => slice.endpoint === endpoint);
    const count = (allowance: Allowance, timesOf: typeof latenciesOf): number =>
      slices.reduce((sum, slice) => sum + countOver(timesOf(slice), allowance(limitMs, slice.second)), 0);
    const bad = count(noAllowance, latenciesOf);
    return bad === 0 ? [] : [{ endpoint, limitMs, bad, certain: count(allowed, serviceTimesOf) }];
  });
  const limit = wanted.map(({ endpoint, limitMs }) => `${endpoint} < ${showDuration(limitMs)}`).join(', ');
  if (missed.length === 0) return [met(head, `${wanted.length} of ${wanted.length}`, limit)];
  const guilty = missed.filter(({ certain }) => certain > 0);
  if (guilty.length === 0) return [excused(head, missed.map(describeSlow).join('; '), limit)];
  const witnesses = guilty
    .flatMap(({ endpoint }) => slowestOf(measurement, (witness) => witness.endpoint === endpoint))
    .slice(0, maxWitnesses);
  const found = guilty.map(describeSlow).join('; ');
  return [broken({ ...head, witnesses }, found, limit, found)];
}

/** Right answers in time, of all requests after warm-up but those the rate limit refused, which say nothing of the service. */
function judgeObjective(measurement: Measurement): Check[] {
  const { slo } = measurement.budget;
  if (slo === undefined) return [];
  const head = { id: 'objective', kind: 'limit', title: `Right answers within ${showDuration(slo.withinMs)}` } as const;
  const slices = timedSlices(measurement);
  const all = slices.reduce((sum, slice) => sum + settledCount(slice) - slice.limited, 0);
  const limit = `≥ ${showShare(slo.share)}`;
  if (all === 0) return [notChecked(head, 'no request came to an end', limit)];
  const allowed = allowanceOf(measurement);
  const bad = badOf(slices, { allowance: noAllowance, timesOf: latenciesOf, withinMs: slo.withinMs }, measurement);
  const measured = `${showShare(1 - bad / all)} (${showCount(all - bad)} of ${showCount(all)})`;
  if (1 - bad / all >= slo.share) return [met(head, measured, limit)];
  const certain = badOf(slices, { allowance: allowed, timesOf: serviceTimesOf, withinMs: slo.withinMs }, measurement);
  if (1 - certain / all >= slo.share) return [excused(head, measured, limit)];
  const witnesses = [...witnessesOf(failuresOf(measurement)), ...slowestOf(measurement, () => true)].slice(0, maxWitnesses);
  return [
    broken(
      { ...head, witnesses },
      measured,
      limit,
      `${measured} were answered rightly within ${showDuration(slo.withinMs)}, the objective is ${limit}`,
    ),
  ];
}

type Yardstick = { readonly allowance: Allowance; readonly timesOf: typeof latenciesOf; readonly withinMs: number };

/** Requests without a right answer in time. A timeout is counted by its latency. */
const badOf = (slices: readonly Slice[], { allowance, timesOf, withinMs }: Yardstick, measurement: Measurement): number =>
  slices.reduce(
    (sum, slice) =>
      sum +
      certainErrors([{ ...slice, timeouts: 0 }], allowance, measurement) +
      countOver(timesOf(slice), allowance(withinMs, slice.second)),
    0,
  );
