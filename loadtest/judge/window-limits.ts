import { showCount, showDuration, showShare } from '#lib/show.ts';
import { settledCount } from '../measurement/merge.ts';
import { countOf, countOver, latenciesOf, serviceTimesOf } from '../measurement/latencies.ts';
import type { Measurement, Slice } from '../measurement/measurement.ts';
import type { Witness } from '../measurement/witness.ts';
import { atLeast } from '#lib/binomial.ts';
import { broken, excused, met, notChecked, type Check } from './check.ts';
import { isSaturating, timedSlices } from './figures.ts';
import { certainErrors, slowestOf, witnessesOf, failuresOf } from './limits.ts';
import { allowanceOf, noAllowance } from './slowness.ts';

/** As long as people wait before they give up: what is bad for that long is bad, however long the run. */
const windowSeconds = 5;
/** A run of ten minutes has 600 windows: less than one run in a thousand of a service just at its limit fails by chance. */
const windowAlpha = 1e-6;

/** The budget's limits for every stretch of five seconds, so that a long run does not dilute a short disaster. */
export function judgeWindows(measurement: Measurement): Check[] {
  return [judgeLatency(measurement), judgeErrors(measurement)];
}

type Window = { readonly from: number; readonly bad: number; readonly certain: number; readonly all: number };

function judgeLatency(measurement: Measurement): Check {
  const { p99Ms } = measurement.budget;
  const head = {
    id: 'window-latency',
    kind: 'limit',
    title: `Every ${windowSeconds} seconds by themselves: latency`,
    isSpeed: true,
  } as const;
  const limit = `99 % < ${showDuration(p99Ms)}`;
  if (isSaturating(measurement)) return notChecked(head, 'users who never pause make the latency themselves', limit);
  const allowed = allowanceOf(measurement);
  const windows = windowsOf(timedSlices(measurement), (slice) => ({
    bad: countOver(latenciesOf(slice), p99Ms),
    certain: countOver(serviceTimesOf(slice), allowed(p99Ms, slice.second)),
    all: countOf(latenciesOf(slice)),
  }));
  return conclude(head, windows, { share: 0.01, limit, verb: `took over ${showDuration(p99Ms)}` }, ({ from }) =>
    slowestOf(measurement, ({ second = -1 }) => second >= from && second < from + windowSeconds),
  );
}

function judgeErrors(measurement: Measurement): Check {
  const { errorRate } = measurement.budget;
  const head = { id: 'window-errors', kind: 'limit', title: `Every ${windowSeconds} seconds by themselves: errors` } as const;
  const allowed = allowanceOf(measurement);
  const windows = windowsOf(measurement.slices, (slice) => ({
    bad: certainErrors([slice], noAllowance, measurement),
    certain: certainErrors([slice], allowed, measurement),
    all: settledCount(slice),
  }));
  return conclude(head, windows, { share: errorRate, limit: `< ${showShare(errorRate)}`, verb: 'failed' }, () =>
    witnessesOf(failuresOf(measurement)),
  );
}

type Tally = Omit<Window, 'from'>;

/** Every window of whole seconds, one starting each second. */
function windowsOf(slices: readonly Slice[], tally: (slice: Slice) => Tally): Window[] {
  const bySecond = new Map<number, Tally>();
  for (const slice of slices) bySecond.set(slice.second, add(bySecond.get(slice.second), tally(slice)));
  const seconds = [...bySecond.keys()];
  const [first, last] = [Math.min(...seconds), Math.max(...seconds)];
  const count = Math.max(1, last - first + 2 - windowSeconds);
  return Array.from({ length: count }, (_, i) => {
    const from = first + i;
    const inside = Array.from({ length: windowSeconds }, (_second, offset) => bySecond.get(from + offset));
    return { from, ...inside.reduce<Tally>((sum, one) => add(sum, one ?? nothing), nothing) };
  });
}

const nothing: Tally = { bad: 0, certain: 0, all: 0 };
const add = (a: Tally = nothing, b: Tally): Tally => ({ bad: a.bad + b.bad, certain: a.certain + b.certain, all: a.all + b.all });

type Question = { readonly share: number; readonly limit: string; readonly verb: string };

function conclude(
  head: Pick<Check, 'id' | 'kind' | 'title' | 'isSpeed'>,
  windows: readonly Window[],
  { share, limit, verb }: Question,
  witnesses: (window: Window) => readonly Witness[],
): Check {
  if (windows.every(({ all }) => all === 0)) return notChecked(head, 'no request was answered', limit);
  const worst = (count: (window: Window) => number): Window | undefined =>
    windows
      .filter((window) => atLeast(count(window), window.all, share) < windowAlpha)
      .toSorted((a, b) => count(b) / b.all - count(a) / a.all)[0];
  const describe = (window: Window, bad: number): string =>
    `in seconds ${window.from}–${window.from + windowSeconds - 1}, ${showCount(bad)} of ${showCount(window.all)} (${showShare(bad / window.all)}) ${verb}`;
  const guilty = worst(({ certain }) => certain);
  if (guilty) {
    const found = describe(guilty, guilty.certain);
    return broken({ ...head, witnesses: witnesses(guilty) }, found, limit, `${found}; allowed is ${limit}`);
  }
  const suspect = worst(({ bad }) => bad);
  return suspect ? excused(head, describe(suspect, suspect.bad), limit) : met(head, `${windows.length} of ${windows.length}`, limit);
}
