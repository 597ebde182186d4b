import { showBytes, showCount } from '#lib/show.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';
import { windowOf } from './figures.ts';

/**
 * Whether the target's workers keep their size. Of a short run only what would end a worker within the hour can be told; of a
 * long one its second half is looked at, and the closer the longer it is.
 */
export function judgeGrowth(measurement: Measurement): Check[] {
  const head = { id: 'memory-growth', kind: 'limit', title: 'Memory of each worker keeps its size' } as const;
  const watched = stretchOf(measurement);
  const limit = `< ${showBytes(watched.maxBytesPerSecond)}/s`;
  const workers = [...memoryByWorker(measurement, watched.isWithin)].filter(([, points]) => points.length >= minPoints).map(growthOf);
  if (workers.length === 0) return [notChecked(head, 'the workers were not asked often enough: set ADMIN_TOKEN, or play longer', limit)];
  const worst = Math.max(...workers.map(({ rate }) => rate.least));
  const guilty = workers.filter(({ rate, grownBytes }) => rate.least >= watched.maxBytesPerSecond && grownBytes > settlingBytes);
  const measured = `${showBytes(Math.max(0, Math.round(worst)))}/s at least`;
  if (guilty.length === 0) return [met(head, measured, limit)];
  const named = guilty.map(
    ({ worker, rate, grownBytes, looks }) =>
      `worker ${worker} by ${showBytes(rate.median)}/s (${showBytes(grownBytes)} in ${showCount(looks)} looks)`,
  );
  const witnesses = guilty.map(({ worker, first, last }) => ({
    says: `grew from ${showBytes(first.bytes)} to ${showBytes(last.bytes)}`,
    about: { worker },
    second: first.second,
  }));
  return [broken({ ...head, witnesses }, measured, limit, `memory grows without an end in sight: ${named.join(', ')}`)];
}

/** At that rate a worker of 512 MiB is twice its size in two minutes. */
const maxBytesPerSecond = 4 * 2 ** 20;
/** A heap that has just been filled for the first time settles at some size; that is no leak. */
const settlingBytes = 64 * 2 ** 20;
/** By then every heap has found its size. */
const settlingSeconds = 120;
/** With fewer no slope can be told from chance. */
const minPoints = 8;

type Point = { readonly second: number; readonly bytes: number };

function growthOf([worker, points]: readonly [string, readonly Point[]]) {
  const [first, last] = [points[0], points.at(-1)] as [Point, Point];
  return { worker, first, last, looks: points.length, grownBytes: last.bytes - first.bytes, rate: slopeOf(points) };
}

/** The seconds that count, and how fast a worker may grow in them: while warming up every process grows. */
function stretchOf({ phases }: Measurement): { readonly isWithin: (second: number) => boolean; readonly maxBytesPerSecond: number } {
  const windows = phases.map(windowOf);
  const seconds = windows.reduce((sum, { from, to }) => sum + to - from, 0);
  const isMeasured = (second: number): boolean => windows.some(({ from, to }) => second >= from && second < to);
  if (seconds < 2 * settlingSeconds) return { isWithin: isMeasured, maxBytesPerSecond };
  const end = Math.max(...windows.map(({ to }) => to));
  return { isWithin: (second) => isMeasured(second) && second >= end - seconds / 2, maxBytesPerSecond: settlingBytes / (seconds / 2) };
}

function memoryByWorker({ samples }: Measurement, isWithin: (second: number) => boolean): Map<string, Point[]> {
  const measured = samples.filter(({ second }) => isWithin(second));
  const points = measured.flatMap(({ second, workers }) =>
    workers.map(({ worker, residentBytes }) => ({ worker, second, bytes: residentBytes })),
  );
  return new Map([...Map.groupBy(points, ({ worker }) => worker)].map(([worker, own]) => [worker, thinned(own)]));
}

/** All pairs are compared, so a soak of hours is looked at more rarely; its slope is known the better for its length. */
const maxPoints = 600;

function thinned(points: readonly Point[]): Point[] {
  const step = Math.ceil(points.length / maxPoints);
  return points.filter((_, i) => (points.length - 1 - i) % step === 0);
}

/** Of a normal distribution: one in a thousand lies beyond. */
const z = 3.09;

/**
 * How fast a series grows: the median of the slopes between all pairs of points (Theil–Sen), which single jumps such as a
 * collected heap hardly move, and the least that one may believe at 99.9 % (Sen's interval, from Kendall's tau); 0 where
 * there are too few points for that.
 */
export function slopeOf(points: readonly Point[]): { readonly median: number; readonly least: number } {
  const slopes = points
    .flatMap((a, i) => points.slice(i + 1).map((b) => (b.bytes - a.bytes) / (b.second - a.second)))
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  const n = points.length;
  const spread = z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number): number => slopes[Math.round(rank)] ?? 0;
  return { median: at((slopes.length - 1) / 2), least: at((slopes.length - spread) / 2 - 1) };
}
