import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { compareWithBaseline, readBaseline, showChange, type Baseline } from '#loadtest/report/baseline.ts';
import { planText } from '#loadtest/report/plan-report.ts';
import { reportHtml } from '#loadtest/report/report-html.ts';
import { reportMarkdown } from '#loadtest/report/report-markdown.ts';
import { reportSchema } from '#loadtest/report/report-schema.ts';
import type { Report } from '#loadtest/report/report.ts';
import { healthyMeasurement, judged, many, orderSlice, slice, withPhase } from '../build-measurement.ts';
import { reportJson, reportJunit } from './as-written.ts';

const jsonOf = (measurement: Measurement): string => reportJson({ measurement, judgement: judged(measurement), highlights: [] });
const baselineOf = (measurement: Measurement): Baseline => ({
  path: '/earlier/report.json',
  report: reportSchema.parse(JSON.parse(jsonOf(measurement))),
});
const reportOf = (measurement: Measurement, earlier: Measurement): Report => {
  const judgement = judged(measurement);
  return { measurement, judgement, highlights: [], baseline: compareWithBaseline(measurement, judgement.figures, baselineOf(earlier)) };
};

async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-baseline-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

const slower = healthyMeasurement({ slices: [0, 1, 2].map((second) => slice(second, many(100, 15))) });

const target = (kind: 'own' | 'given', effective: Record<string, unknown>): Pick<Measurement, 'target'> => ({
  target: { origin: 'http://127.0.0.1:8000', kind, effective },
});

describe('beside an earlier run', () => {
  test('each figure of all requests and of each endpoint stands before and now', () => {
    const { rows } = compareWithBaseline(slower, judged(slower).figures, baselineOf(healthyMeasurement()));
    expect(rows.map(({ endpoint }) => endpoint)).toEqual(['all requests', 'GET /products/:id']);
    for (const { before, now } of rows) {
      expect(before).toMatchObject({ p50Ms: expect.closeTo(10, 1) as number, perSecond: 100, errorRate: 0 });
      expect(now).toMatchObject({ p99Ms: expect.closeTo(15, 1) as number, perSecond: 100, errorRate: 0 });
    }
  });

  test('an endpoint that only one of them knows has nothing beside it', () => {
    const more = healthyMeasurement({ slices: [...healthyMeasurement().slices, orderSlice(1, many(30, 20))] });
    const { rows } = compareWithBaseline(more, judged(more).figures, baselineOf(healthyMeasurement()));
    expect(rows.find(({ endpoint }) => endpoint === 'POST /orders')).toMatchObject({ before: null, now: { perSecond: 10 } });
  });

  test('a percentile that less than one answer stands for is not compared', () => {
    const few = healthyMeasurement({ slices: [slice(1, many(60, 10)), orderSlice(1, many(15, 20))] });
    const { rows } = compareWithBaseline(few, judged(few).figures, baselineOf(few));
    expect(rows[0]?.now).toMatchObject({ p95Ms: expect.any(Number) as number, p99Ms: null });
    expect(rows[2]?.now).toMatchObject({ p50Ms: expect.any(Number) as number, p95Ms: null, p99Ms: null });
  });

  test('what else was not the same is named: load, target, settings, and no place or port of a stack of its own', () => {
    const now = withPhase({ load: { kind: 'closed', users: 40, thinkMs: [1_000, 3_000] } }, target('given', { DB_POOL_SIZE: 5, PORT: 2 }));
    const before = healthyMeasurement(target('own', { DB_POOL_SIZE: 10, PORT: 1 }));
    expect(compareWithBaseline(now, judged(now).figures, baselineOf(before)).differences).toEqual([
      'load: 400 users, pausing 1–3 s, for 2 s after 1 s of warm-up → 40 users, pausing 1–3 s, for 2 s after 1 s of warm-up',
      'target: a stack of its own → http://127.0.0.1:8000',
      'DB_POOL_SIZE: 10 → 5',
    ]);
  });

  test('every report shows the change and says that it proves nothing, and the verdict stays what it was', async () => {
    const report = reportOf(slower, healthyMeasurement());
    for (const text of [await reportHtml(report), reportMarkdown(report), reportJunit(report), planText(report)]) {
      expect(text).toContain('10 ms → 15 ms (+50 %)');
      expect(text).toContain('prove nothing about a change');
    }
    const json: unknown = JSON.parse(reportJson(report));
    expect(reportSchema.parse(json)).toEqual(json);
    expect(json).toMatchObject({ verdict: 'PASS', baseline: { path: '/earlier/report.json', verdict: 'PASS' } });
    expect(reportJunit(report)).toContain('failures="0" errors="0"');
  });
});

test.each([
  [10, 15, '10 ms → 15 ms (+50 %)'],
  [20, 15, '20 ms → 15 ms (−25 %)'],
  [10, 10, '10 ms → 10 ms (±0 %)'],
  [0, 15, '0 ms → 15 ms'],
  [null, 15, '– → 15 ms'],
  [10, undefined, '10 ms → –'],
])('a change from %s to %s is shown as %s', (before, now, shown) => {
  expect(showChange(before, now, (ms) => `${ms} ms`)).toBe(shown);
});

describe('an earlier run is found', () => {
  test('by its file, by its folder, and by the folder of several plans', async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, 'users'));
    await writeFile(join(dir, 'users', 'report.json'), jsonOf(healthyMeasurement()));
    for (const path of [join(dir, 'users', 'report.json'), join(dir, 'users'), dir]) {
      await expect(readBaseline(path, 'users')).resolves.toMatchObject({
        path: join(dir, 'users', 'report.json'),
        report: { plan: 'users' },
      });
    }
  });

  test('or the command ends with what is missing or no report, before anything is played', async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, 'other.json'), '{"version":1}');
    await expect(readBaseline(join(dir, 'none'), 'users')).rejects.toThrow(
      `--baseline ${dir}/none: there is no report.json of the plan "users"`,
    );
    await expect(readBaseline(dir, 'users')).rejects.toThrow('there is no report.json of the plan "users"');
    await expect(readBaseline(join(dir, 'other.json'), 'users')).rejects.toThrow('is no report.json that this program can read');
  });
});
