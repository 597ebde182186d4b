import { assert, double, pre, property, type Arbitrary } from 'fast-check';
import { expect, test } from 'vitest';
import { fitUsl } from '#loadtest/size-pool/usl.ts';

const sizes = [1, 2, 4, 8, 16, 24, 32, 48];
const curve = (lambda: number, sigma: number, kappa: number) => (size: number) => ({
  size,
  perSecond: (lambda * size) / (1 + sigma * (size - 1) + kappa * size * (size - 1)),
});

const between = (min: number, max: number): Arbitrary<number> => double({ min, max, noNaN: true });

const near = (value: number): unknown => expect.closeTo(value, 4);

test('a curve of the law is found again, with its highest point', () => {
  assert(
    property(between(10, 5_000), between(0.01, 0.3), between(0.0006, 0.02), (lambda, sigma, kappa) => {
      const optimum = Math.sqrt((1 - sigma) / kappa);
      pre(optimum > 2 && optimum < 40);
      const fit = fitUsl(sizes.map(curve(lambda, sigma, kappa)));
      expect({ ...fit, optimum: ('optimum' in fit ? fit.optimum : 0) / optimum }).toMatchObject({
        sigma: near(sigma),
        kappa: near(kappa),
        optimum: near(1),
      });
    }),
  );
});

test('too few sizes, points on no such curve, and a highest point beyond them are refused, each with its reason', () => {
  const points = sizes.map(curve(100, 0.05, 0.001));
  expect(fitUsl(points.slice(0, 5))).toEqual({ kind: 'refused', says: 'it takes 6 sizes to fit a curve' });
  const scattered = points.map(({ size }, i) => ({ size, perSecond: i % 2 === 0 ? 100 : 300 }));
  expect(fitUsl(scattered)).toMatchObject({ kind: 'refused', says: expect.stringMatching(/explains too little|no curve/) });
  expect(fitUsl(sizes.map(curve(100, 0.05, 0.000_01)))).toMatchObject({ says: expect.stringContaining('outside the sizes') });
});
