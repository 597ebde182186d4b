export type CurvePoint = { readonly x: number; readonly y: number };

/**
 * Where a curve that grows slowly at first and steeply then turns upward: the point that lies farthest below the straight line
 * between its ends, both axes scaled to 1. Undefined with fewer than five points, or where none lies clearly below it.
 * @see Satopää et al., Finding a "Kneedle" in a Haystack, 2011; without its smoothing, which so few points do not bear
 */
export function kneeOf(points: readonly CurvePoint[]): CurvePoint | undefined {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (sorted.length < minPoints || !first || !last || last.x === first.x || last.y <= first.y) return undefined;
  const below = ({ x, y }: CurvePoint): number => (x - first.x) / (last.x - first.x) - (y - first.y) / (last.y - first.y);
  const knee = sorted.reduce((best, point) => (below(point) > below(best) ? point : best));
  return below(knee) >= minDistance ? knee : undefined;
}

const minPoints = 5;
/** Nearer to the line it is a slope and no bend. */
const minDistance = 0.1;
