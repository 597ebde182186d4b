import { expect, test } from 'vitest';
import type { Verdict } from '#loadtest/judge/verdict.ts';
import { gateReport, type PlayedGate } from '#loadtest/report/gate-report.ts';
import { junitXml, type Case } from '#loadtest/report/junit.ts';
import type { RunReport } from '#loadtest/report/run-report.ts';

const startedAt = '2026-01-01T00:00:00.000Z';

function runOf(name: string, verdict: Verdict, says = 'as it should be'): RunReport {
  const cases: Case[] = [{ id: `${name}-check`, title: 'a matter', outcome: verdict, says, seen: [] }];
  return {
    name,
    verdict,
    sentence: `What came of ${name}: ${says}.`,
    startedAt,
    text: '',
    json: { plan: name, verdict },
    suites: [{ name: `loadtest ${name}`, startedAt, verdict, cases }],
    markdown: `# ${name}\n`,
    html: '',
  };
}

const gateOf = (changes: Partial<PlayedGate> = {}): Promise<RunReport> =>
  gateReport({
    name: 'release',
    startedAt,
    runs: [runOf('smoke', 'PASS'), runOf('users', 'PASS'), runOf('pool', 'PASS'), runOf('ratelimit', 'PASS')],
    notPlayed: [],
    ...changes,
  });

const harmful = { name: 'pool', why: 'it starts shops of its own' };

test('all that belong to it stand in JSON, JUnit, Markdown and on the page, which leads to theirs', async () => {
  const { verdict, sentence, text, json, suites, markdown, html } = await gateOf();
  expect([verdict, sentence]).toEqual(['PASS', 'smoke, users, pool, ratelimit passed.']);
  expect(text).toBe('release: smoke PASS · users PASS · pool PASS · ratelimit PASS');
  expect(json).toMatchObject({ gate: 'release', verdict: 'PASS', exitCode: 0, notPlayed: [] });
  for (const name of ['smoke', 'users', 'pool', 'ratelimit']) {
    expect(json).toHaveProperty(
      'runs',
      expect.arrayContaining([expect.objectContaining({ name, report: { plan: name, verdict: 'PASS' } })]),
    );
    expect(junitXml(suites)).toContain(`<testsuite name="loadtest ${name}"`);
    expect(markdown).toContain(`<summary>${name}: PASS</summary>`);
    expect(html).toContain(`href="${name}/report.html"`);
  }
});

test.each([
  [['PASS', 'INVALID', 'PASS'], 'INVALID', 75],
  [['INVALID', 'FAIL'], 'FAIL', 99],
] as const)('of %s it is %s', async (verdicts, worst, exitCode) => {
  const runs = verdicts.map((verdict, i) => runOf(`part-${i}`, verdict, `<${verdict}>`));
  const { verdict, sentence, json, suites } = await gateOf({ runs });
  const bad = ([...verdicts] as Verdict[]).indexOf(worst);
  expect([verdict, sentence]).toEqual([worst, `part-${bad}: What came of part-${bad}: <${worst}>.`]);
  expect(json).toMatchObject({ verdict: worst, exitCode });
  expect(junitXml(suites)).toContain(`message="What came of part-${bad}: &lt;${worst}&gt;."`);
});

test('what was not played is told everywhere, with the reason, and is no PASS', async () => {
  const { text, sentence, json, suites, markdown, html } = await gateOf({ runs: [runOf('smoke', 'PASS')], notPlayed: [harmful] });
  expect(sentence).toBe('smoke passed. Not played: pool.');
  expect(text).toBe('release: smoke PASS\nnote: pool not played: it starts shops of its own');
  expect(json).toMatchObject({ notPlayed: [harmful] });
  expect(junitXml(suites)).toMatch(/<testsuite name="loadtest release" [^>]* tests="2" failures="0" errors="0" skipped="1"/);
  for (const report of [junitXml(suites), markdown, html]) expect(report).toContain('not played: it starts shops of its own');
});

test('where some were canceled nothing is proved, in no report, and what passed before is told', async () => {
  const notPlayed = [{ name: 'pool', why: 'canceled', isMissed: true } as const];
  const { verdict, text, sentence, json, suites } = await gateOf({ runs: [runOf('smoke', 'PASS')], notPlayed });
  expect([verdict, sentence]).toEqual(['INVALID', 'pool was not played (canceled); before it smoke passed. Not played: pool.']);
  expect(text).toBe('release: smoke PASS\nnote: pool not played: canceled');
  expect(json).toMatchObject({ exitCode: 75, notPlayed });
  expect(junitXml(suites)).toMatch(/<testsuite name="loadtest release" [^>]* tests="2" failures="0" errors="1" skipped="0"/);
  expect(await gateOf({ runs: [runOf('smoke', 'FAIL')], notPlayed })).toMatchObject({ verdict: 'FAIL' });
});

test('of nothing that was played nothing is proved', async () => {
  expect((await gateOf({ runs: [], notPlayed: [harmful] })).verdict).toBe('INVALID');
});
