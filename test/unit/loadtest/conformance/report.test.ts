import { expect, test } from 'vitest';
import { escapeText } from '#lib/html.ts';
import type { Declared, Exchange } from '#loadtest/conformance/exchange.ts';
import { fail, invalid, notChecked, pass, type Finding } from '#loadtest/conformance/matter.ts';
import { conformanceReport, type Conformance } from '#loadtest/conformance/report.ts';
import { checks, skipAll, type Judged } from '#loadtest/conformance/suite.ts';
import { timelineOf } from '#loadtest/conformance/timeline.ts';
import { verdictOf } from '#loadtest/judge/outcome.ts';
import { junitXml } from '#loadtest/report/junit.ts';
import { conformanceTable, rowOf } from '#test/limiters/table.ts';

const declared: Declared = { limit: 10, periodMs: 2_000, windows: 'sliding', identity: 'ip', method: 'GET', path: '/things' };
const refused: Exchange = {
  stage: 'wait',
  who: 'client-3',
  method: 'GET',
  path: '/things',
  sentMs: 1_204,
  endedMs: 1_206,
  lateMs: 0,
  answer: { status: 429, fields: { 'retry-after': '1', ratelimit: '"<default>";r=0;t=1', date: 'now' }, body: '' },
};

const resultOf = (findings: readonly Finding[]): Conformance => {
  const judged = findings.map((finding, index): Judged => ({ check: checks[index] as Judged['check'], finding }));
  return {
    target: 'http://127.0.0.1/<things>',
    recordings: [skipAll(declared, '')],
    judged,
    verdict: verdictOf(findings.map(({ outcome }) => outcome)),
  };
};

const startedAt = '2026-11-25T00:00:00Z';
const mixed = resultOf([pass('good'), fail('refused again after 1 s', [refused]), invalid('late'), notChecked('no store')]);

test('a broken clause is a FAIL whatever else was not proved, and what was not proved is no PASS', () => {
  expect(verdictOf(['PASS', 'FAIL', 'INVALID'])).toBe('FAIL');
  expect(verdictOf(['PASS', 'INVALID', 'NOT CHECKED'])).toBe('INVALID');
  expect(verdictOf(['PASS', 'NOT SUPPORTED', 'NOT CHECKED'])).toBe('PASS');
});

test('the requests that show a broken clause stand in every report, with time, client, status and fields', async () => {
  const { text, json, html, sentence } = await conformanceReport([mixed], startedAt);
  const shown = '1.204 s client-3 GET /things → 429 · retry-after: 1 · ratelimit: "<default>";r=0;t=1';
  expect(text).toContain(`\n${' '.repeat(17)}${shown}\n`);
  expect(html).toContain(escapeText(shown));
  expect(sentence).toBe(`The service did not pass: ${checks[1]?.id}: refused again after 1 s.`);
  expect(json).toMatchObject({
    verdict: 'FAIL',
    targets: [{ checks: [{}, { witnesses: [{ shown }] }, {}, {}] }],
  });
  const row = rowOf('a limiter', 'memory', mixed);
  expect(conformanceTable([row])).toContain(String.raw`1.204 s client-3 GET /things → 429 · retry-after: 1 · ratelimit: "\<default\>"`);
});

test('JUnit counts a broken clause as failure, what was not proved as error, the rest as skipped, and escapes what was received', async () => {
  const junit = junitXml((await conformanceReport([mixed], startedAt)).suites);
  expect(junit).toContain('tests="4" failures="1" errors="1" skipped="1"');
  expect(junit).toContain(`<failure type="${checks[1]?.id}" message="refused again after 1 s">1.204 s client-3`);
  expect(junit).toContain('ratelimit http://127.0.0.1/&lt;things&gt;');
  expect(junit).not.toContain('<default>');
});

test('the page for a pull request has a table a matter, and no markup of the target', async () => {
  const { markdown } = await conformanceReport([mixed], startedAt);
  expect(markdown).toContain('# Rate limit conformance: FAIL');
  expect(markdown).toContain(String.raw`## http://127.0.0.1/\<things\>: FAIL`);
});

test('the table of limiters tells what is kept of what could be judged', () => {
  const table = conformanceTable([rowOf('a limiter', 'memory', mixed)]);
  expect(table.split('\n')[2]).toMatch(/^\| a limiter \| memory \| 1\/2 ✗ \? \|/);
});

const asked = (stage: string, sentMs: number, status: number | undefined): Exchange => ({
  ...refused,
  stage,
  sentMs,
  answer: status === undefined ? undefined : { status, fields: {}, body: '' },
});

test('the page draws what was asked over time, one lane a part of the script, with what became of it', async () => {
  const exchanges = [asked('<fill>', 0, 200), asked('<fill>', 1, 200), asked('<fill>', 1_000, 429), asked('dies', 500, undefined)];
  const recording = { ...skipAll(declared, ''), refusedWith: [429], exchanges };
  const all = { ...resultOf([pass('good')]), recordings: [recording] as const };
  const { html } = await conformanceReport([all], startedAt);
  expect(timelineOf(recording)).toEqual({
    spanMs: 1_000,
    lanes: [
      {
        stage: '<fill>',
        sums: { allowed: 2, refused: 1, failed: 0 },
        bars: [
          { piece: 0, allowed: 2, refused: 0, failed: 0 },
          { piece: 239, allowed: 0, refused: 1, failed: 0 },
        ],
      },
      { stage: 'dies', sums: { allowed: 0, refused: 0, failed: 1 }, bars: [{ piece: 120, allowed: 0, refused: 0, failed: 1 }] },
    ],
  });
  expect(html).toContain('aria-label="&lt;fill&gt;: 2 allowed, 1 refused"');
  expect(html).toContain('aria-label="dies: 1 failed"');
  expect(html.match(/<rect class="(?:allowed|refused|failed)"/g)).toHaveLength(3);
});
