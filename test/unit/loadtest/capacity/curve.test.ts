import { assert, double, pre, property, type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitUsl, kneeOf } from '#loadtest/capacity/curve.ts';

const sizes = [1, 2, 4, 8, 16, 24, 32, 48];
const curve = (lambda: number, sigma: number, kappa: number) => (size: number) => ({
  size,
  perSecond: (lambda * size) / (1 + sigma * (size - 1) + kappa * size * (size - 1)),
});

const between = (min: number, max: number): Arbitrary<number> => double({ min, max, noNaN: true });

const near = (value: number): unknown => expect.closeTo(value, 4);

describe('the Universal Scalability Law', () => {
  test('is found again in a curve that follows it, with its highest point', () => {
    assert(
      property(between(10, 5_000), between(0.01, 0.3), between(0.0006, 0.02), (lambda, sigma, kappa) => {
        const optimum = Math.sqrt((1 - sigma) / kappa);
        pre(optimum > 2 && optimum < 40);
        const law = curve(lambda, sigma, kappa);
        const fit = fitUsl(sizes.map(law));
        const [foundAt, highest] = fit.kind === 'fitted' ? [fit.optimum, fit.highest] : [0, 0];
        expect({ ...fit, optimum: foundAt / optimum, highest: highest / law(optimum).perSecond }).toMatchObject({
          sigma: near(sigma),
          kappa: near(kappa),
          optimum: near(1),
          highest: near(1),
        });
      }),
    );
  });

  test('comes near to λ / σ and never there where nothing has to agree', () => {
    expect(fitUsl(sizes.map(curve(100, 0.25, 0)))).toMatchObject({ highest: expect.closeTo(400, 1) });
  });

  test('is refused of too few levels, and of points on no such curve', () => {
    const points = sizes.map(curve(100, 0.05, 0.001));
    expect(fitUsl(points.slice(0, 5))).toEqual({ kind: 'refused', says: 'it takes 6 levels to fit a curve' });
    const scattered = points.map(({ size }, i) => ({ size, perSecond: i % 2 === 0 ? 100 : 300 }));
    expect(fitUsl(scattered)).toMatchObject({ kind: 'refused', says: expect.stringMatching(/explains too little|no curve/) });
  });
});

describe('the bend of a curve', () => {
  test('is where a queue begins to grow', () => {
    // M/M/1 with a capacity of 100: latency 10 ms ÷ (1 − load).
    const points = [10, 30, 50, 70, 80, 90, 95, 98].map((x) => ({ x, y: 10 / (1 - x / 100) }));
    expect(kneeOf(points)?.x).toBe(90);
    expect(kneeOf(points.toReversed())?.x).toBe(90);
  });

  test('is none on a straight line, of few points, or where nothing rises', () => {
    expect(kneeOf([1, 2, 3, 4, 5, 6].map((x) => ({ x, y: 3 * x })))).toBeUndefined();
    expect(kneeOf([1, 2, 3, 9].map((x) => ({ x, y: x ** 3 })))).toBeUndefined();
    expect(kneeOf([1, 2, 3, 4, 5, 6].map((x) => ({ x, y: 7 - x })))).toBeUndefined();
  });
});
