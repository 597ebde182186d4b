import { expect, test } from 'vitest';
import { compare, saySpread, showChange, showValue, type Comparison, type Finding } from '#loadtest/judge/comparison.ts';
import { inAll, type Round, type WindowFigures } from '#loadtest/judge/rounds.ts';
import { calmWorld, simulateRounds, type World } from '#test/compare/simulated-rounds.ts';

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
const fine = { problems: [], defects: [] };
const judgeWorld = (world: Partial<World>, seed = 1): Comparison => compare(simulateRounds({ ...calmWorld, ...world }, seed), asked, fine);

const findingOf = ({ metrics }: Comparison, name: string): Finding | undefined =>
  metrics.find(({ metric, scope }) => `${metric} ${scope}` === name)?.finding;

const windowOf = (times: number): WindowFigures => ({
  p50Ms: 5 * times,
  p95Ms: 20 * times,
  p99Ms: 50 * times,
  perSecond: 200,
  answers: 1_000,
  errors: 0,
  settled: 1_000,
});

/** Rounds in which all latencies of B are that many times those of A. */
const roundsOf = (ratios: readonly number[], change: (b: WindowFigures, round: number) => WindowFigures = (b) => b): Round[] =>
  ratios.map((ratio, i) => ({
    a: { [inAll]: windowOf(1) },
    b: { [inAll]: change(windowOf(ratio), i) },
    isSwapped: i >= ratios.length / 2,
  }));

/** Small differences that come and go, and none on the whole. */
const noise = (rounds: number): number[] => Array.from({ length: rounds }, (_, i) => 1 + 0.01 * [1, -1, -1, 1, 1, -1][i % 6]!);
const errorsIn = (rounds: number, errors: number) => (b: WindowFigures, round: number) => (round < rounds ? { ...b, errors } : b);

test('equal sides are PASS, and every metric of all endpoints is the same within what was asked', () => {
  const comparison = judgeWorld({ rounds: 24 });
  expect(comparison).toMatchObject({ verdict: 'PASS', reasons: [] });
  for (const name of ['p50 in all', 'p95 in all', 'throughput in all']) expect(findingOf(comparison, name)).toBe('same');
});

test('a B that is 10 % slower is a FAIL that names metric, figures, change and its interval', () => {
  const comparison = judgeWorld({ rounds: 24, slower: 0.1 });
  expect(comparison.verdict).toBe('FAIL');
  expect(comparison.reasons).toContainEqual(
    expect.stringMatching(/^p95 in all .* ms → .* ms, \+\d+\.\d % \(\+\d.* % to \+\d.* %\): worse$/),
  );
});

test('a B that is faster is better, and PASS', () => {
  const comparison = judgeWorld({ rounds: 24, slower: -0.15 });
  expect(comparison.verdict).toBe('PASS');
  expect(findingOf(comparison, 'p95 in all')).toBe('better');
});

test('where only the tail is slower the median stays the same', () => {
  const comparison = judgeWorld({ rounds: 24, slower: 0.2, onlyTail: true });
  expect(comparison.verdict).toBe('FAIL');
  expect([findingOf(comparison, 'p50 in all'), findingOf(comparison, 'p95 in all')]).toEqual(['same', 'worse']);
});

test('what is surely different and yet less than the gate is the same, and says within what', () => {
  const comparison = compare(roundsOf(noise(12).map((ratio) => 1.03 * ratio)), asked, fine);
  expect(comparison.verdict).toBe('PASS');
  expect(comparison.metrics[1]?.p).toBeLessThan(0.01);
  expect(comparison.metrics[1]?.says).toMatch(/the same within [34]\.\d\d %$/);
});

test.each([
  [0.096, '+9.6 %'],
  [-0.048, '−4.8 %'],
  [0, '+0.0 %'],
  [2.5, '+250.0 %'],
  [Infinity, 'any'],
  [-1, 'any'],
])('a change of %d is told as %s', (share, told) => {
  expect(showChange(share)).toBe(told);
});

test('a throughput is told in answers a second, a latency as a time', () => {
  expect([showValue('throughput', 1_234.4), showValue('p95', 20)]).toEqual(['1,234/s', '20 ms']);
});

test('errors that are as many on both sides are the same, in words without a suspicion', () => {
  const both = roundsOf(noise(12), (b) => ({ ...b, errors: 2 })).map((round) => ({
    ...round,
    a: { [inAll]: { ...round.a[inAll]!, errors: 2 } },
  }));
  expect(compare(both, asked, fine).errors.map(({ says }) => says)).toEqual(['errors in all 24 of 12,000 → 24 of 12,000: same']);
  const more = compare(roundsOf(noise(12), errorsIn(12, 50)), asked, fine).errors.map(({ says }) => says);
  expect(more).toEqual(['errors in all 0 of 12,000 → 600 of 12,000, more than A in 12 rounds: worse']);
});

test('fewer answers a second are worse', () => {
  const fewer = roundsOf(noise(12), (b, i) => ({ ...b, perSecond: 170 + (i % 3) }));
  expect(compare(fewer, asked, fine)).toMatchObject({
    verdict: 'FAIL',
    reasons: [expect.stringMatching(/^throughput in all 200\/s → 171\/s.*: worse$/)],
  });
});

test('rounds too noisy for the effect asked for are INVALID, and PASS for one they can tell', () => {
  const rounds = simulateRounds({ ...calmWorld, rounds: 24, noise: 0.2 }, 3);
  expect(compare(rounds, asked, fine)).toMatchObject({
    verdict: 'INVALID',
    reasons: expect.arrayContaining([
      expect.stringMatching(/^p50 in all .*: a change of 10\.0 % cannot be told with these rounds$/),
    ]) as string[],
  });
  expect(compare(rounds, { ...asked, effect: 0.5 }, fine).verdict).toBe('PASS');
});

test('a hundredfold slowness in seven rounds is INVALID and says how many rounds it takes; with those it is a FAIL', () => {
  const few = compare(roundsOf(Array.from({ length: 7 }, () => 100)), asked, fine);
  expect(few).toMatchObject({
    verdict: 'INVALID',
    reasons: expect.arrayContaining(['7 rounds can never show a difference at alpha 0.01; it takes 11']) as string[],
  });
  expect(compare(roundsOf(Array.from({ length: 10 }, () => 100)), asked, fine).verdict).toBe('INVALID');
  expect(compare(roundsOf(Array.from({ length: 11 }, () => 100)), asked, fine).verdict).toBe('FAIL');
});

test('errors where A had none are a FAIL, however few a round has', () => {
  const comparison = compare(roundsOf(noise(12), errorsIn(12, 1)), asked, fine);
  expect(comparison).toMatchObject({
    verdict: 'FAIL',
    reasons: ['errors in all 0 of 12,000 → 12 of 12,000, more than A in 12 rounds: worse'],
  });
});

test('the errors of one bad moment are not B’s, nor are they nothing', () => {
  const comparison = compare(roundsOf(noise(12), errorsIn(1, 100)), asked, fine);
  expect(comparison).toMatchObject({ verdict: 'INVALID', reasons: [expect.stringMatching(/→ 100 of .* in 1 rounds: cannot tell$/)] });
  expect(compare(roundsOf(noise(12), errorsIn(3, 1)), asked, fine).verdict).toBe('PASS');
});

test('a spread that changes while the middle stays is told', () => {
  const swings = Array.from({ length: 16 }, (_, i) => [0.8, 1.25, 1.2, 0.85][i % 4]!);
  const { metrics } = compare(roundsOf(swings), asked, fine);
  expect(metrics.find(({ metric }) => metric === 'p95')).toMatchObject({ spread: 'wider', finding: 'cannot tell' });
  expect(compare(roundsOf(noise(16)), { ...asked, alpha: 1e-9 }, fine).metrics[0]?.spread).toBe('same');
  expect([saySpread({ spread: 'wider' }), saySpread({ spread: 'narrower' }), saySpread({ spread: 'same' })]).toEqual([
    '; spread changed: the windows of B differ more among themselves than those of A',
    '; spread changed: the windows of B differ less among themselves than those of A',
    '',
  ]);
});

test('rounds that go together prove nothing, however sure they seem', () => {
  const rising = Array.from({ length: 24 }, (_, i) => 1.02 + 0.02 * (i % 12));
  const comparison = compare(roundsOf(rising), asked, fine);
  expect(comparison.verdict).toBe('INVALID');
  expect(comparison.reasons).toContainEqual(expect.stringMatching(/^p95 in all .* the rounds go together \(lag-1 correlation 0\.\d\d\)/));
});

test('that twelve rounds seem to go together a little is chance', () => {
  const swinging = Array.from({ length: 12 }, (_, i) => Math.exp(0.01 * [1, 1, -1, -1, 1, 1][i % 6]!));
  const { metrics, verdict } = compare(roundsOf(swinging), asked, fine);
  expect(metrics[0]?.lag1).toBeCloseTo(1 / 3, 6);
  expect(verdict).toBe('PASS');
});

test('rounds that go together are INVALID also where they differ by next to nothing', () => {
  const waves = Array.from({ length: 24 }, (_, i) => Math.exp(0.01 * [1, 1, 1, -1, -1, -1][i % 6]!));
  expect(compare(roundsOf(waves), asked, fine)).toMatchObject({
    verdict: 'INVALID',
    reasons: expect.arrayContaining([expect.stringMatching(/^p50 in all .* go together/)]) as string[],
  });
});

/** Throughputs of B that are chance's, as logarithms of their ratio to A's, again and again. */
const throughputs = (logRatios: readonly number[]): Round[] =>
  roundsOf(noise(12), (b, i) => ({ ...b, perSecond: 200 * Math.exp(logRatios[i % 3]!) }));

test('a throughput that may have fallen by a tenth is INVALID, one that may only have risen is not', () => {
  expect(compare(throughputs([-0.25, 0.03, 0.03]), asked, fine)).toMatchObject({
    verdict: 'INVALID',
    reasons: [expect.stringMatching(/^throughput in all .* cannot be told/)],
  });
  expect(compare(throughputs([0.25, -0.03, -0.03]), asked, fine).verdict).toBe('PASS');
});

test('errors that both sides have all along do not make of one bad moment three', () => {
  const rounds = roundsOf(noise(12), (b, i) => ({ ...b, errors: i === 0 ? 100 : 1 })).map((round) => ({
    ...round,
    a: { [inAll]: { ...windowOf(1), errors: 1 } },
  }));
  expect(compare(rounds, asked, fine)).toMatchObject({
    verdict: 'INVALID',
    reasons: [expect.stringMatching(/more than A in 1 rounds: cannot tell$/)],
  });
});

test('many endpoints that are the same do not hide what all of them together show', () => {
  const names = Array.from({ length: 10 }, (_, i) => `GET /${i}`);
  const rounds = roundsOf(noise(12).map((ratio) => 1.2 * ratio)).map((round) => ({
    isSwapped: round.isSwapped,
    a: { ...round.a, ...Object.fromEntries(names.map((name) => [name, windowOf(1)])) },
    b: { ...round.b, ...Object.fromEntries(names.map((name) => [name, windowOf(1)])) },
  }));
  expect(findingOf(compare(rounds, asked, fine), 'p95 in all')).toBe('worse');
});

test('a place that is 30 % slower than the other makes nothing of B, for the places are swapped half-way', () => {
  const comparison = judgeWorld({ rounds: 24, slotBias: 0.3 });
  expect(comparison.verdict).toBe('INVALID');
  expect(comparison.metrics.map(({ finding }) => finding)).not.toContain('worse');
  expect(comparison.reasons.join()).not.toContain('go together');
});

test('where client or machine were no measure it is INVALID, whatever the figures say', () => {
  const rounds = simulateRounds({ ...calmWorld, rounds: 24, slower: 0.5 }, 1);
  const comparison = compare(rounds, asked, { ...fine, problems: ['a generator was lost'] });
  expect(comparison).toMatchObject({ verdict: 'INVALID', reasons: ['a generator was lost'] });
});

test('what B answers wrongly and A does not is a FAIL, however fast', () => {
  const rounds = simulateRounds({ ...calmWorld, rounds: 24, slower: -0.5 }, 1);
  expect(compare(rounds, asked, { ...fine, defects: ['B sold twice'] })).toMatchObject({ verdict: 'FAIL', reasons: ['B sold twice'] });
});

test('percentiles that fewer than five answers of a window lie beyond are not judged', () => {
  const rare = roundsOf(noise(12), (b) => ({ ...b, answers: 499 }));
  expect(compare(rare, asked, fine).metrics.map(({ metric }) => metric)).toEqual(['p50', 'p95', 'throughput']);
  const rarer = compare(
    roundsOf(noise(12), (b) => ({ ...b, answers: 99 })),
    asked,
    fine,
  );
  expect(rarer).toMatchObject({ verdict: 'INVALID', reasons: ['p95 in all cannot be told: the windows have too few answers'] });
});

test('without rounds it is INVALID', () => {
  expect(compare([], asked, fine).verdict).toBe('INVALID');
});
