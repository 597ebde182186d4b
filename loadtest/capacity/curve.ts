/** What the shape of a curve tells of a service by itself, whatever limits it is held to: where it bends, and how far it can rise. */

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

/** Throughput with so many at once: connections, or requests under way. */
export type Level = { readonly size: number; readonly perSecond: number };

/**
 * The Universal Scalability Law, C(N) = λN / (1 + σ(N − 1) + κN(N − 1)): what waits in line (σ) and what has to agree (κ).
 * `refused` where these points do not carry it.
 */
export type UslFit =
  | {
      readonly kind: 'fitted';
      readonly lambda: number;
      readonly sigma: number;
      readonly kappa: number;
      readonly rSquared: number;
      /** √((1 − σ) / κ), where the curve is highest; infinite where nothing has to agree. */
      readonly optimum: number;
      /** The throughput there: λ / σ where it only comes near to it. */
      readonly highest: number;
    }
  | { readonly kind: 'refused'; readonly says: string };

const minLevels = 6;
const minRSquared = 0.9;

/**
 * Fits by linear least squares: N/C(N) = (1 + σ(N − 1) + κN(N − 1)) / λ is linear in what is sought. Throughput is uncertain by a
 * share of itself, and so is N/C(N): every point is weighted by the square of its inverse.
 * @see Gunther, Guerrilla Capacity Planning, 2007, chapter 5; C(1) is fitted, not taken from the first point
 */
export function fitUsl(levels: readonly Level[]): UslFit {
  const sizes = levels.map(({ size }) => size);
  if (new Set(sizes).size < minLevels) return { kind: 'refused', says: `it takes ${minLevels} levels to fit a curve` };
  const rows = levels.map(({ size: n, perSecond }) => ({ x: [1, n - 1, n * (n - 1)], y: n / perSecond, weight: (perSecond / n) ** 2 }));
  const solved = solve(normalEquations(rows));
  const [a = 0, b = 0, c = 0] = solved ?? [];
  if (solved === undefined || a <= 0) return { kind: 'refused', says: 'no curve of this law goes through the points' };
  const [lambda, sigma, kappa] = [1 / a, b / a, c / a];
  const curve = (n: number): number => (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));
  const rSquared = determination(levels, curve);
  if (rSquared < minRSquared) return { kind: 'refused', says: `the curve explains too little (R² ${rSquared.toFixed(2)})` };
  const optimum = kappa > 0 ? Math.sqrt(Math.max(0, 1 - sigma) / kappa) : Infinity;
  const highest = kappa > 0 ? curve(optimum) : sigma > 0 ? lambda / sigma : Infinity;
  return { kind: 'fitted', lambda, sigma, kappa, rSquared, optimum, highest };
}

/** The share of the scatter of the throughputs that the curve explains. */
function determination(levels: readonly Level[], curve: (n: number) => number): number {
  const mean = levels.reduce((sum, { perSecond }) => sum + perSecond, 0) / levels.length;
  const squares = (of: (level: Level) => number): number => levels.reduce((sum, level) => sum + of(level) ** 2, 0);
  const all = squares(({ perSecond }) => perSecond - mean);
  return all === 0 ? 0 : 1 - squares(({ size, perSecond }) => perSecond - curve(size)) / all;
}

type Row = { readonly x: readonly number[]; readonly y: number; readonly weight: number };

/** Xᵀ·W·X beside Xᵀ·W·y. */
const normalEquations = (rows: readonly Row[]): number[][] =>
  [0, 1, 2].map((i) => {
    const sum = (value: (row: Row) => number): number => rows.reduce((total, row) => total + row.weight * (row.x[i] ?? 0) * value(row), 0);
    return [...[0, 1, 2].map((k) => sum(({ x }) => x[k] ?? 0)), sum(({ y }) => y)];
  });

/** By elimination with the largest pivot; undefined where the equations do not decide. */
function solve(matrix: number[][]): number[] | undefined {
  const size = matrix.length;
  const at = (row: number, column: number): number => matrix[row]?.[column] ?? 0;
  for (let column = 0; column < size; column += 1) {
    const pivot = matrix.slice(column).toSorted((a, b) => Math.abs(b[column] ?? 0) - Math.abs(a[column] ?? 0))[0] ?? [];
    matrix = [...matrix.slice(0, column), pivot, ...matrix.slice(column).filter((row) => row !== pivot)];
    if (Math.abs(at(column, column)) < 1e-12) return undefined;
    matrix = matrix.map((row, i) => {
      const factor = i === column ? 0 : (row[column] ?? 0) / at(column, column);
      return row.map((value, k) => value - factor * (pivot[k] ?? 0));
    });
  }
  return matrix.map((row, i) => (row[size] ?? 0) / at(i, i));
}
