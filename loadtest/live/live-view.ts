import { describePhase } from '../report/describe.ts';
import { rateIn } from '../report/chart-series.ts';
import type { Entry } from '../measurement/measurement-file.ts';
import { createHistogram, decodeHistogram, percentileMs, type Histogram } from '../measurement/histogram.ts';
import type { Phase, ServerSample, Slice } from '../measurement/measurement.ts';
import { errorCount } from '../measurement/merge.ts';
import type { Plan } from '../plans/plan.ts';

/** How a run goes, at one moment of it. */
export type LiveView = {
  readonly plan: string;
  /** What is being done before and after the load; null while it is played. */
  readonly step: string | null;
  readonly phase: { readonly name: string; readonly says: string; readonly isWarmUp: boolean } | null;
  /** Seconds of the load so far, and in all; null where that follows from what is measured. */
  readonly elapsedSeconds: number;
  readonly totalSeconds: number | null;
  /** What the schedule asks for now; null without one. */
  readonly wantedPerSecond: number | null;
  /** Of the last second that is over: right answers, and honest refusals. */
  readonly perSecond: number;
  /** Over the last seconds; null without answers. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** p95 of each of the last seconds, null where nothing was answered. */
  readonly recentP95Ms: readonly (number | null)[];
  /** So far, 429 included. */
  readonly errors: number;
  readonly pool: ServerSample['pool'];
};

/** Percentiles are of so many seconds: fewer jump about, more hide what happens now. */
const windowSeconds = 5;
/** As far back as the curve goes. */
const rememberedSeconds = 60;

type Tally = { answered: number; readonly latency: Histogram };

/**
 * Follows a run second by second, in constant memory, and shows it each time something is known.
 * Generators report their seconds one after another; a second counts once the next has begun.
 */
export function createLiveView({ name, course }: Pick<Plan, 'name' | 'course'>, phases: readonly Phase[], show: (view: LiveView) => void) {
  const totalSeconds = course
    ? null
    : phases.reduce((sum, { warmUpMs, durationMs }) => sum + Math.ceil((warmUpMs + durationMs) / 1_000), 0);
  const seconds = new Map<number, Tally>();
  let current: { readonly phase: Phase; readonly startSecond: number } | undefined;
  let [last, errors, step]: [number, number, string | null] = [-1, 0, null];
  let pool: ServerSample['pool'] = null;

  const take = (slice: Slice): void => {
    const tally = seconds.get(slice.second) ?? { answered: 0, latency: createHistogram() };
    tally.answered += slice.ok + slice.refused;
    tally.latency.add(decodeHistogram(slice.latency));
    errors += errorCount(slice) + slice.limited;
    seconds.set(slice.second, tally);
  };
  const forget = (): void => {
    for (const old of seconds.keys()) if (old <= last - rememberedSeconds) seconds.delete(old);
  };
  const viewNow = (): LiveView => {
    const over = Math.max(0, last - 1);
    return {
      plan: name,
      step,
      phase: current ? describe(current, last) : null,
      elapsedSeconds: last + 1,
      totalSeconds,
      wantedPerSecond: (current && rateIn({ ...current.phase, startSecond: current.startSecond }, last)) ?? null,
      perSecond: seconds.get(over)?.answered ?? 0,
      ...percentiles(seconds, last),
      recentP95Ms: [...seconds].toSorted(([a], [b]) => a - b).map(([, { latency }]) => percentileMs(latency, 95) ?? null),
      errors,
      pool,
    };
  };
  return {
    onPhase: (phase: Phase): void => {
      current = { phase, startSecond: last + 1 };
    },
    onStep: (now: string): void => {
      step = now;
      show(viewNow());
    },
    onSecond: (second: number, slices: readonly Slice[]): void => {
      step = null;
      for (const slice of slices) take(slice);
      last = Math.max(last, second);
      forget();
      show(viewNow());
    },
    /** Takes of what is written down what the server says of its pool. */
    onEntry: (entry: Entry): void => {
      if (entry.kind === 'sample') pool = entry.sample.pool ?? pool;
    },
  };
}

const describe = ({ phase, startSecond }: { phase: Phase; startSecond: number }, second: number): LiveView['phase'] => ({
  name: phase.name,
  says: describePhase(phase),
  isWarmUp: second < startSecond + phase.warmUpMs / 1_000,
});

function percentiles(seconds: ReadonlyMap<number, Tally>, last: number): Pick<LiveView, 'p50Ms' | 'p95Ms' | 'p99Ms'> {
  const recent = createHistogram();
  for (const [second, { latency }] of seconds) if (second > last - windowSeconds) recent.add(latency);
  const at = (percentile: number): number | null => percentileMs(recent, percentile) ?? null;
  return { p50Ms: at(50), p95Ms: at(95), p99Ms: at(99) };
}
