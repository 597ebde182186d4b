import { describe, expect, test } from 'vitest';
import { comparisonHtml } from '#loadtest/compare/comparison-html.ts';
import type { CompareResult } from '#loadtest/compare/result.ts';
import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { comparisonReport } from '#loadtest/compare/show-comparison.ts';
import { compare } from '#loadtest/judge/comparison.ts';
import { junitXml } from '#loadtest/report/junit.ts';
import { calmWorld, simulateRounds, type World } from '#test/compare/simulated-rounds.ts';

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };

function resultOf(world: Partial<World>, changes: Partial<CompareResult> = {}): CompareResult {
  const rounds = simulateRounds({ ...calmWorld, rounds: 24, answers: 500, ...world }, 1);
  return {
    startedAt: '2026-01-01T00:00:00.000Z',
    a: 'main',
    b: 'DB_POOL_SIZE=<5>',
    settings: ['DB_POOL_SIZE'],
    seed: 1,
    asked,
    turns: scheduleOf(24, 1),
    calibration: null,
    ...compare(rounds, asked, { problems: [], defects: [] }),
    ...changes,
  };
}

test('the first line is what was compared, and what is worse stands below with its figures', async () => {
  const { text, verdict, sentence } = await comparisonReport(resultOf({ slower: 0.2 }));
  const lines = text.split('\n');
  expect(lines[0]).toBe('compare: A main → B DB_POOL_SIZE=<5>: 24 rounds (seed 1)');
  expect(lines).toContainEqual(expect.stringMatching(/^- p95 in all .* ms → .* ms, \+.*: worse$/));
  expect(verdict).toBe('FAIL');
  expect(sentence).toMatch(/^The service did not pass: .*: worse; and \d+ more reasons? below\.$/);
});

test('of endpoints that are the same nothing is said', async () => {
  const { text } = await comparisonReport(resultOf({}));
  expect(text).toContain('p95 in all');
  expect(text).not.toContain('GET /one');
});

test('for a pull request: verdict, reasons, and a row for each metric, which nothing breaks out of', async () => {
  const { markdown: text } = await comparisonReport(resultOf({ slower: 0.2 }, { b: 'x | y' }));
  expect(text).toMatch(/^# Is B worse than A\? FAIL\n/);
  expect(text).toContain(String.raw`A main → B x \| y`);
  expect(text).toMatch(/^- p95 in all .*: worse$/m);
  expect(text).toMatch(/^\| ❌ \| p95 in all \| .* ms \| .* ms \| \+\d+\.\d % \| \+.* to \+.* \|$/m);
  expect(text).toMatch(/^\| ✅ \| errors in all \| 0 of [\d,]+ \| 0 of [\d,]+ \|/m);
});

test('a calibration is told in one line: false alarms, undecided, least difference', async () => {
  const calibration = { falseAlarms: 0.005, invalid: 0.04, trials: 200, smallestEffect: 0.07, equal: 'PASS', slowed: 'FAIL' } as const;
  expect((await comparisonReport(resultOf({}, { calibration }))).text).toContain(
    'calibration: A beside itself PASS, made 10.0 % slower FAIL · of 200 comparisons drawn from equal rounds 0.50 % false alarms, 4.00 % undecided · least difference told 95 times in 100: 7.00 %',
  );
});

test('the page needs nothing beside itself, escapes what it is given, and draws a dot a round for each metric of all endpoints', async () => {
  const page = await comparisonHtml(resultOf({ slower: 0.2 }));
  expect(page).not.toMatch(/<script|src=|href=|DB_POOL_SIZE=<5>/);
  expect(page).toContain('DB_POOL_SIZE=&lt;5&gt;');
  expect(page).toContain('<div class="badge">FAIL</div>');
  expect(page.match(/<svg /g)).toHaveLength(4);
  expect(page.match(/<circle /g)).toHaveLength(4 * 24);
  expect(page).not.toContain('NaN');
});

test('with too few rounds for an interval the page is drawn all the same', async () => {
  const rounds = simulateRounds({ ...calmWorld, rounds: 2, answers: 500 }, 1);
  const page = await comparisonHtml(resultOf({}, compare(rounds, asked, { problems: [], defects: [] })));
  expect(page).toContain('any to any');
  expect(page).not.toMatch(/NaN|Infinity/);
});

const casesOf = async (result: CompareResult): Promise<{ xml: string; counts: readonly string[] }> => {
  const xml = junitXml((await comparisonReport(result)).suites);
  return { xml, counts: (/<testsuite .* failures="(\d+)" errors="(\d+)"/.exec(xml) ?? []).slice(1) };
};

describe('JUnit says what the verdict says', () => {
  const late = { problems: ['A, round 1: the client was late'], defects: [] };
  const rounds = simulateRounds({ ...calmWorld, rounds: 24, answers: 500, slower: 0.2 }, 1);

  test('worse: a failure for each metric that is, and none for the others', async () => {
    const { xml, counts } = await casesOf(resultOf({ slower: 0.2 }));
    expect(counts[1]).toBe('0');
    expect(Number(counts[0])).toBeGreaterThan(0);
    expect(xml).toMatch(/<failure type="p95 in all" message="p95 in all [^"]*: worse"/);
    expect(xml).toMatch(/name="circumstances: [^"]*"><system-out>/);
  });

  test('the same: neither failures nor errors', async () => {
    const same = resultOf({ answers: 4_000 });
    expect(same.verdict).toBe('PASS');
    expect((await casesOf(same)).counts).toEqual(['0', '0']);
  });

  test('nothing proved: errors with the reason, and no failure even where B was slower', async () => {
    const { xml, counts } = await casesOf(resultOf({}, compare(rounds, asked, late)));
    expect(counts[0]).toBe('0');
    expect(xml).toContain('<error type="circumstances" message="A, round 1: the client was late">');
  });
});
