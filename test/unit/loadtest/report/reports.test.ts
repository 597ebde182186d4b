import { describe, expect, test } from 'vitest';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { escapeText } from '#lib/html.ts';
import type { Report } from '#loadtest/report/report.ts';
import { reportHtml } from '#loadtest/report/report-html.ts';
import { reportMarkdown } from '#loadtest/report/report-markdown.ts';
import { budget, healthyMeasurement, histogramOf, judged, many, orders, rightBooks, slice, withPhase } from '../build-measurement.ts';
import { reportJson, reportJunit } from './as-written.ts';

const reportOf = (measurement: Measurement): Report => ({ measurement, judgement: judged(measurement), highlights: [] });

/** What a hostile or broken server could put into a report. */
const evil = '</script><script>alert(1)</script>"&\'|`*[x](y)\u0000';
const hostile = reportOf(
  withPhase(
    {
      failures: [
        {
          endpoint: 'GET /x',
          outcome: 'wrong-answer',
          status: 200,
          fault: evil,
          count: 1,
          witnesses: [{ says: evil, about: { [evil]: evil }, requestId: evil, received: evil }],
        },
      ],
    },
    {
      target: { origin: 'http://127.0.0.1:8000', kind: 'given', effective: { note: evil } },
      books: { ...rightBooks, stored: null, notes: [evil] },
    },
  ),
);

describe('the HTML report', () => {
  test('loads nothing: no address in a place that would be fetched, and a policy that forbids it', async () => {
    const page = await reportHtml(reportOf(healthyMeasurement()));
    expect(page).toContain(`content="default-src 'none'`);
    const markup = page.replaceAll(/<script>[\s\S]*?<\/script>/g, '').replaceAll(/<style>[\s\S]*?<\/style>/g, '');
    expect(markup).not.toMatch(/\b(src|href|action|srcset)\s*=/);
    expect(page).not.toMatch(/@import|url\(\s*['"]?https?:/);
  });

  test('carries the license of the chart library it contains', async () => {
    expect(await reportHtml(reportOf(healthyMeasurement()))).toMatch(/MIT License[\s\S]*Leon Sorokin/);
  });

  test('shows what a server sent as text and never as markup', async () => {
    const page = await reportHtml(hostile);
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;alert(1)');
    for (const [, json = ''] of page.matchAll(/<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/g))
      expect(() => JSON.parse(json)).not.toThrow();
  });

  test('names the verdict, the reasons and every check', async () => {
    const report = reportOf(healthyMeasurement(orders({ key: 'k-2', order: 8 })));
    const page = await reportHtml(report);
    expect(page).toContain('FAIL');
    expect(page).toContain('order 8 was acknowledged and does not exist');
    for (const { title } of report.judgement.checks) expect(page).toContain(escapeText(title));
  });

  test('can be made of a run in which nothing happened', async () => {
    const empty = withPhase({ serverTimings: [] }, { slices: [], samples: [] });
    await expect(reportHtml(reportOf(empty))).resolves.toContain('INVALID');
  });
});

test('what a run leaves in the target is announced in every report for people', async () => {
  const report = reportOf(healthyMeasurement({ left: ['12 orders of buyers who are deleted'] }));
  for (const text of [await reportHtml(report), reportMarkdown(report)]) expect(text).toContain('12 orders of buyers who are deleted');
  expect(JSON.parse(reportJson(report))).toMatchObject({ left: ['12 orders of buyers who are deleted'] });
});

test('witnesses of a broken check stand in every report', async () => {
  const witness = { says: 'total is 9.99, expected 10.00', about: { order: 17, key: 'k-1' }, endpoint: 'POST /orders', requestId: 'r-77' };
  const failures = [
    { endpoint: 'POST /orders', outcome: 'wrong-answer', status: 201, fault: 'order-total', count: 1, witnesses: [witness] },
  ] as const;
  const report = reportOf(withPhase({ failures }, { slices: [slice(1, many(100, 10), { wrongAnswers: 1 })] }));
  for (const text of [await reportHtml(report), reportMarkdown(report), reportJunit(report), reportJson(report)]) {
    for (const part of ['r-77', '17', 'total is 9.99, expected 10.00']) expect(text).toContain(part);
  }
});

test('JSON holds the verdict, every check and what was asked for', () => {
  const { verdict, checks } = hostile.judgement;
  expect(JSON.parse(reportJson(hostile))).toMatchObject({
    plan: 'users',
    verdict,
    budget,
    checks: JSON.parse(JSON.stringify(checks)) as object,
  });
});

describe('JUnit', () => {
  test('has every check as a case, failures apart from errors of the test itself', () => {
    const xml = reportJunit(reportOf(withPhase({ sendLag: histogramOf(900) }, orders({ key: 'k-2', order: 8 }))));
    expect(xml).toMatch(/<testsuite name="loadtest users".* failures="1" errors="1" skipped="\d+"/);
    expect(xml).toMatch(/<failure type="orders-kept" message="order 8 was acknowledged and does not exist">/);
    expect(xml).toMatch(/<error type="send-lag"/);
    expect(xml.match(/<testcase /g)).toHaveLength(Number(/tests="(\d+)"/.exec(xml)?.[1]));
  });

  test('of an INVALID run has errors and no failure', () => {
    const vitals = [{ seconds: [{ second: 1, utilization: 0.2, cpu: 0.2, maxDelayMs: 800 }], loopDelay: histogramOf(800) }];
    const report = reportOf(withPhase({ processVitals: vitals }, { slices: [slice(1, many(100, 900))] }));
    expect(report.judgement.verdict).toBe('INVALID');
    const xml = reportJunit(report);
    expect(xml).toMatch(/ failures="0" errors="[1-9]/);
    expect(xml).not.toContain('<failure');
    expect(xml).toContain('<error type="latency-p95"');
  });

  test('stays XML whatever a server sent', () => {
    const xml = reportJunit(hostile);
    expect(xml).not.toContain('<script');
    expect(xml).not.toContain('\u0000');
  });
});

test('Markdown: nothing a server sent breaks out of its cell', () => {
  const page = reportMarkdown(reportOf({ ...hostile.measurement, books: { ...rightBooks, stored: null, notes: ['a | b\n# c <img>'] } }));
  expect(page).not.toMatch(/^# c/m);
  expect(page).toContain(String.raw`a \| b # c \<img\>`);
});
