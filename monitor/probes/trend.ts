/** An amount at a moment of a clock that never jumps. */
type Sample = { readonly atMs: number; readonly amount: number };

/** What an amount has been over time: few samples, the further apart the longer it has been watched. */
export type Trend = {
  readonly add: (sample: Sample) => void;
  readonly samples: () => readonly Sample[];
};

const mostSamples = 64;
const firstSpacingMs = 60_000;
const windowMs = 7 * 86_400_000;

export function createTrend(): Trend {
  let samples: Sample[] = [];
  let spacingMs = firstSpacingMs;
  return {
    samples: () => samples,
    add: (sample) => {
      const last = samples.at(-1);
      if (last && sample.atMs - last.atMs < spacingMs) return;
      samples = [...samples.filter(({ atMs }) => sample.atMs - atMs <= windowMs), sample];
      if (samples.length <= mostSamples) return;
      samples = samples.filter((_, index) => index % 2 === 0);
      spacingMs *= 2;
    },
  };
}

/** Fewer say nothing of a trend. */
const leastSamples = 10;
/** Of the normal distribution, for a bound that holds in 99.5 of 100 series without a trend. */
const z = 2.576;

/**
 * The pace that an amount surely grows at, per ms: the lower bound of Sen's slope. Steps and outliers do not move it, as those of a
 * backup or of a deletion would move a line of least squares. Undefined: too few samples. Pure.
 * @see Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968)
 */
export function surePace(samples: readonly Sample[]): number | undefined {
  const n = samples.length;
  if (n < leastSamples) return undefined;
  const slopes = samples.flatMap((from, index) =>
    samples.slice(index + 1).map((to) => (to.amount - from.amount) / Math.max(1, to.atMs - from.atMs)),
  );
  const spread = z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return slopes.toSorted((a, b) => a - b)[Math.floor((slopes.length - spread) / 2)];
}

/**
 * Time until `left` more is used up, in ms, by the pace that is sure; undefined where nothing can be said. It looks no further
 * ahead than it has watched: what fills up by day and is emptied at night has no trend, but a morning of it would seem to. Pure.
 */
export function timeToFull(samples: readonly Sample[], left: number): { readonly leftMs: number; readonly watchedMs: number } | undefined {
  const pace = surePace(samples);
  if (pace === undefined || pace <= 0) return undefined;
  const [leftMs, watchedMs] = [left / pace, (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)];
  return leftMs <= watchedMs ? { leftMs, watchedMs } : undefined;
}
