import { expect, test } from 'vitest';
import { calibrateFrom } from '#loadtest/compare/calibrate-compare.ts';
import { whatIsWanting } from '#loadtest/compare/result.ts';
import { calmWorld, simulateRounds } from '#test/compare/simulated-rounds.ts';

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
const calibration = (noise: number) => calibrateFrom(simulateRounds({ ...calmWorld, rounds: 24, answers: 500, noise }, 1), asked, 1);

test('on a calm machine it finds one false alarm in a hundred at most and tells a tenth, the same again for the same seed', () => {
  const found = calibration(0.03);
  expect(found.trials).toBe(200);
  expect(found.falseAlarms).toBeLessThanOrEqual(0.01);
  expect(found.smallestEffect).toBeLessThanOrEqual(0.1);
  expect(whatIsWanting({ ...found, equal: 'PASS', slowed: 'FAIL' }, asked)).toEqual([]);
  expect(calibration(0.03)).toEqual(found);
});

test('on a noisy one the least it can tell is more, and where that is more than was asked it says so', () => {
  const found = calibration(0.2);
  expect(found.smallestEffect).toBeGreaterThanOrEqual(0.2);
  expect(whatIsWanting({ ...found, equal: 'INVALID', slowed: 'INVALID' }, asked)).toEqual([
    expect.stringMatching(/^the least difference that can be told is \d\d\.0 %, and 10\.0 % was asked for: more --rounds/),
  ]);
});

test('a machine that favours one of two equal sides, or that raises false alarms, compares nothing', () => {
  const good = { falseAlarms: 0, invalid: 0, trials: 200, smallestEffect: 0.05, equal: 'PASS', slowed: 'FAIL' } as const;
  expect(whatIsWanting({ ...good, equal: 'FAIL' }, asked)).toEqual([expect.stringMatching(/^A beside itself was a FAIL/)]);
  expect(whatIsWanting({ ...good, falseAlarms: 0.03 }, asked)).toEqual(['3.00 % of comparisons of A with itself were a FAIL']);
  expect(whatIsWanting({ ...good, smallestEffect: null }, asked)).toEqual([expect.stringMatching(/is none that was tried/)]);
});
