import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inAll, type Round, type Window } from '#loadtest/judge/rounds.ts';
import { emptyRow, realPart, simulatedPart, withPart } from '#test/compare/page.ts';
import { drawRounds, playOn, real, type RealPlay } from '#test/compare/real-rounds.ts';

const window = (p50Ms: number): Window => ({
  [inAll]: { p50Ms, p95Ms: 2 * p50Ms, p99Ms: 3 * p50Ms, perSecond: 1_000, answers: 1_000, errors: 0, settled: 1_000 },
});

/** B is slower by that share, and the rounds differ a little among themselves. */
const playOf = (slower: number): RealPlay => ({
  slower,
  seed: 1,
  rounds: Array.from({ length: real.rounds }, (_, i): Round => {
    const ms = 20 + (i % 5) / 10;
    return { isSwapped: i >= real.rounds / 2, a: window(ms), b: window(ms * (1 + slower) + (i % 2 ? 0.1 : -0.1)) };
  }),
  circumstances: { problems: [], defects: [] },
});

test('comparisons of real servers are counted as they were played and as they might have been', () => {
  const rows = realPart([playOf(0), playOf(0.1), playOf(0)], 'a machine of 2 cores')
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('%'));
  expect(rows).toEqual([
    '| equal, as played | 2 | 0.0 % | 100.0 % | 0.0 % | 0.0 % |',
    expect.stringMatching(/^\| equal, drawn from these 48 rounds \| 200 \| 0\.0 % \| 9\d\.\d % /),
    '| + 10 %, as played | 1 | 100.0 % | 0.0 % | 0.0 % | 100.0 % |',
    expect.stringMatching(/^\| \+ 10 %, drawn from these 24 rounds \| 200 \| 9\d\.\d % \| 0\.0 % /),
  ]);
});

test('what is drawn has as many rounds of either half, and exchanges A and B of equal sides alone', () => {
  const { rounds } = playOf(0.1);
  const drawn = drawRounds(rounds, false, 1);
  expect(drawn.map(({ isSwapped }) => isSwapped)).toEqual(rounds.map(({ isSwapped }) => isSwapped));
  expect(drawn.every((round) => rounds.includes(round))).toBe(true);
  expect(drawRounds(rounds, true, 1).some(({ a, b }) => (a[inAll]?.p50Ms ?? 0) > (b[inAll]?.p50Ms ?? 0))).toBe(true);
});

const simulated = (says: string): string => simulatedPart({ equal: [{ ...emptyRow(says), p95Worse: 1 }], slower: [] }, 600, 1);

test('either campaign writes its own part of the page anew and leaves that of the other', () => {
  const page = withPart(withPart('', simulated('calm')), realPart([playOf(0)], 'a machine of 2 cores'));
  const again = withPart(withPart(page, simulated('noisy')), realPart([], 'another'));
  expect(page).toMatch(/calm[^]*## Real servers[^]*a machine of 2 cores[^]*equal, as played/);
  expect(again).toMatch(/noisy[^]*## Real servers[^]*another/);
  expect(again).not.toMatch(/\| calm|equal, as played/);
});

test('a campaign goes on from what was played before, and plays nothing that its time does not allow', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-campaign-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const kept = join(dir, 'reports/kept.jsonl');
  const campaign = { forMs: 0, signal: new AbortController().signal, onStep: () => {} };
  expect(await playOn(kept, campaign)).toEqual([]);
  await appendFile(kept, `${JSON.stringify(playOf(0))}\n${JSON.stringify(playOf(0.1))}\n`);
  expect(await playOn(kept, campaign)).toEqual([playOf(0), playOf(0.1)]);
});
