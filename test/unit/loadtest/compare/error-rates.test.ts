import { expect, test } from 'vitest';
import { compare } from '#loadtest/judge/comparison.ts';
import type { Verdict } from '#loadtest/judge/verdict.ts';
import { calmWorld, simulateRounds, type World } from '#test/compare/simulated-rounds.ts';

const verdictIn = (world: Partial<World>, seed: number): Verdict =>
  compare(simulateRounds({ ...calmWorld, ...world }, seed), { alpha: 0.01, gate: 0.05, effect: 0.1 }, { problems: [], defects: [] })
    .verdict;

test('false alarms: 150 comparisons of equal sides, under drift, slot bias and noise that lasts, make at most 1 % FAIL', () => {
  const worlds = [{ drift: 0.06 }, { slotBias: 0.1 }, { memory: 0.9 }, { secondBias: 0.1 }, { noise: 0.1 }];
  const verdicts = worlds.flatMap((world) =>
    Array.from({ length: 30 }, (_, seed) => verdictIn({ ...world, rounds: 12, answers: 600 }, seed)),
  );
  expect(verdicts.filter((verdict) => verdict === 'FAIL').length).toBeLessThanOrEqual(1);
});

test('power: of 20 comparisons with a B that is 10 % slower, 19 at least are FAIL', () => {
  const verdicts = Array.from({ length: 20 }, (_, seed) => verdictIn({ rounds: 24, slower: 0.1, answers: 1_000 }, seed));
  expect(verdicts.filter((verdict) => verdict === 'FAIL').length).toBeGreaterThanOrEqual(19);
});
