/**
 * How long the answers of a stretch of time took, small and able to be added up: how many fell into each class, and the
 * longest. Class `i` holds what took more than `1.05^(i-1)` and at most `1.05^i` ms.
 */
export type LatencySketch = { readonly classes: Readonly<Record<number, number>>; readonly longestMs: number };

/** What a chart shows of a stretch of time. The longest is exact, percentiles are right to 2.5 %. */
export type LatencyPoint = {
  /** Its start, in ms of the epoch. */
  readonly at: number;
  /** Answers that are counted. */
  readonly looks: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly longestMs: number;
};

/** One target in one minute of UTC. */
export type MinuteOfLatency = { readonly probe: string; readonly at: number; readonly sketch: LatencySketch };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** By what latencies are summed up, each starting at a whole one in UTC, and how long each stays. */
export const latencyWidths = {
  minute: { widthMs: minuteMs, keptMs: 2 * dayMs },
  hour: { widthMs: hourMs, keptMs: 30 * dayMs },
  day: { widthMs: dayMs, keptMs: 400 * dayMs },
} as const;

export type LatencyWidth = keyof typeof latencyWidths;

/**
 * Stretches of time added up into longer ones that each start at a whole `stepMs` in UTC: counts of classes are summed, so that a
 * percentile is that of all answers of the step, and never a mean or the highest of percentiles. A step without an answer is not
 * there. Pure. @param stretches oldest first
 */
export function bySteps(
  stretches: readonly { readonly at: number; readonly sketch: LatencySketch }[],
  stepMs: number,
): { readonly at: number; readonly sketch: LatencySketch }[] {
  const steps = new Map<number, LatencySketch>();
  for (const { at, sketch } of stretches) {
    const step = Math.floor(at / stepMs) * stepMs;
    steps.set(step, mergeLatency(steps.get(step) ?? noLatency, sketch));
  }
  return [...steps].map(([at, sketch]) => ({ at, sketch }));
}

const growth = 1.05;
/** Looks are timed to this; what is shorter counts as much. */
const shortestMs = 0.1;

export const noLatency: LatencySketch = { classes: {}, longestMs: 0 };

/** Pure. */
export function addLatency({ classes, longestMs }: LatencySketch, ms: number): LatencySketch {
  const own = Math.ceil(Math.log(Math.max(ms, shortestMs)) / Math.log(growth));
  return { classes: { ...classes, [own]: (classes[own] ?? 0) + 1 }, longestMs: Math.max(longestMs, ms) };
}

/** Both together, in either order. Pure. */
export function mergeLatency(a: LatencySketch, b: LatencySketch): LatencySketch {
  const classes: Record<number, number> = { ...a.classes };
  for (const [own, count] of Object.entries(b.classes)) classes[Number(own)] = (classes[Number(own)] ?? 0) + count;
  return { classes, longestMs: Math.max(a.longestMs, b.longestMs) };
}

/** What is shown of a sketch that holds something: percentiles by the nearest rank, none above the longest. Pure. */
export function latencyPoint(at: number, { classes, longestMs }: LatencySketch): LatencyPoint {
  const sorted = Object.entries(classes)
    .map(([own, count]) => [Number(own), count] as const)
    .toSorted(([a], [b]) => a - b);
  const looks = sorted.reduce((sum, [, count]) => sum + count, 0);
  const percentile = (share: number): number => {
    let left = Math.ceil(share * looks);
    const [own = 0] = sorted.find(([, count]) => (left -= count) <= 0) ?? [];
    return Math.min(longestMs, (2 * growth ** own) / (growth + 1));
  };
  return { at, looks, p50Ms: percentile(0.5), p95Ms: percentile(0.95), longestMs };
}
