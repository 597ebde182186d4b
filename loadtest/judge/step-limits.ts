import { showCount, showDuration, showShare } from '#lib/show.ts';
import { countOf, countOver, latenciesOf, serviceTimesOf } from '../measurement/latencies.ts';
import { settledCount, sumCounts } from '../measurement/merge.ts';
import type { Measurement, PlayedPhase, Slice } from '../measurement/measurement.ts';
import { atLeast } from '#lib/binomial.ts';
import { broken, excused, met, notChecked, type Check } from './check.ts';
import { windowOf } from './figures.ts';
import { certainErrors } from './limits.ts';
import { allowanceOf, noAllowance } from './slowness.ts';

/**
 * The budget's limits for each step of the load by itself: each phase, and of an open load each stage. A service that is fast
 * at every rate but the last is not fast, however long it was asked less. Says nothing where there is one step only.
 */
export function judgeSteps(measurement: Measurement): Check[] {
  const steps = measurement.phases.flatMap(stepsOf);
  return steps.length < 2 ? [] : [judgeStepLatency(measurement, steps), judgeStepErrors(measurement, steps)];
}

/** A hundred steps of a service just at its limit: one run in a hundred would fail by chance. */
const stepAlpha = 1e-4;

type Step = { readonly name: string; readonly from: number; readonly to: number; readonly isTimed: boolean };

/** Whole seconds that lie within a stage; those in which one ends and the next begins belong to neither. */
function stepsOf(phase: PlayedPhase): Step[] {
  const { from, to } = windowOf(phase);
  if (phase.load.kind !== 'open') return [{ name: phase.name, from, to, isTimed: phase.load.kind === 'closed' }];
  let startSecond = phase.startSecond + phase.warmUpMs / 1_000;
  return phase.load.stages.map(({ fromPerSecond, toPerSecond, durationMs }) => {
    const [first, end] = [startSecond, startSecond + durationMs / 1_000];
    startSecond = end;
    const rates = [fromPerSecond, toPerSecond].map((rate) => showCount(Math.round(rate)));
    return { name: `${[...new Set(rates)].join('–')}/s`, from: Math.ceil(first), to: Math.floor(end), isTimed: true };
  });
}

type Missed = { readonly step: string; readonly bad: number; readonly all: number; readonly isExcused: boolean };

const within = ({ slices }: Measurement, { from, to }: Step): Slice[] => slices.filter(({ second }) => second >= from && second < to);

function judgeStepLatency(measurement: Measurement, steps: readonly Step[]): Check {
  const { p95Ms, p99Ms } = measurement.budget;
  const head = { id: 'step-latency', kind: 'limit', title: 'Each step of the load by itself: latency', isSpeed: true } as const;
  const limit = `95 % < ${showDuration(p95Ms)}, 99 % < ${showDuration(p99Ms)}`;
  const allowed = allowanceOf(measurement);
  const timed = steps.filter(({ isTimed }) => isTimed);
  if (timed.length === 0) return notChecked(head, 'users who never pause make the latency themselves', limit);
  const missed = timed.flatMap((step): Missed[] => {
    const slices = within(measurement, step).filter(({ endpoint }) => !measurement.disturbed.includes(endpoint));
    const all = slices.reduce((sum, slice) => sum + countOf(latenciesOf(slice)), 0);
    for (const [limitMs, share] of [
      [p99Ms, 0.01],
      [p95Ms, 0.05],
    ] as const) {
      const bad = slices.reduce((sum, slice) => sum + countOver(latenciesOf(slice), limitMs), 0);
      const certain = slices.reduce((sum, slice) => sum + countOver(serviceTimesOf(slice), allowed(limitMs, slice.second)), 0);
      const isMissed = (count: number): boolean => atLeast(count, all, share) < stepAlpha;
      if (isMissed(bad)) return [{ step: step.name, bad, all, isExcused: !isMissed(certain) }];
    }
    return [];
  });
  return conclude(head, missed, { count: timed.length, limit, verb: 'were too slow' });
}

function judgeStepErrors(measurement: Measurement, steps: readonly Step[]): Check {
  const { errorRate } = measurement.budget;
  const head = { id: 'step-errors', kind: 'limit', title: 'Each step of the load by itself: errors' } as const;
  const allowed = allowanceOf(measurement);
  const missed = steps.flatMap((step): Missed[] => {
    const slices = within(measurement, step);
    const all = settledCount(sumCounts(slices));
    const isMissed = (count: number): boolean => atLeast(count, all, errorRate) < stepAlpha;
    const bad = certainErrors(slices, noAllowance, measurement);
    return isMissed(bad) ? [{ step: step.name, bad, all, isExcused: !isMissed(certainErrors(slices, allowed, measurement)) }] : [];
  });
  return conclude(head, missed, { count: steps.length, limit: `< ${showShare(errorRate)}`, verb: 'failed' });
}

type Question = { readonly count: number; readonly limit: string; readonly verb: string };

function conclude(
  head: Pick<Check, 'id' | 'kind' | 'title' | 'isSpeed'>,
  missed: readonly Missed[],
  { count, limit, verb }: Question,
): Check {
  const describe = ({ step, bad, all }: Missed): string =>
    `step ${step}: ${showCount(bad)} of ${showCount(all)} (${showShare(bad / all)}) ${verb}`;
  if (missed.length === 0) return met(head, `${count} of ${count}`, limit);
  const guilty = missed.filter(({ isExcused }) => !isExcused).map(describe);
  if (guilty.length === 0) return excused(head, missed.map(describe).join('; '), limit);
  return broken(head, guilty.join('; '), limit, `${guilty.join('; ')}; allowed is ${limit}`);
}
