import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Check } from '#loadtest/judge/check.ts';
import { judge } from '#loadtest/judge/verdict.ts';
import { reportSchema } from '#loadtest/report/report-schema.ts';
import type { Report } from '#loadtest/report/report.ts';
import { tellBooks } from '#loadtest/scenarios/shop/books.ts';
import { healthyMeasurement, judged, rightBooks, many, orders, slice, withPhase } from '../build-measurement.ts';
import { reportJson, reportJunit } from './as-written.ts';

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/report.schema.json is the schema of report.json', async () => {
  const schema = z.toJSONSchema(reportSchema, { io: 'input', reused: 'ref' });
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../../docs/report.schema.json');
});

describe('report.json', () => {
  const measurements = {
    'that passed': healthyMeasurement(),
    'that failed, with witnesses': healthyMeasurement(orders({ key: 'k-2', order: 8 })),
    'with failures': withPhase(
      { failures: [{ endpoint: 'GET /x', outcome: 'timeout', status: null, fault: 'no answer', count: 1, witnesses: [] }] },
      { slices: [slice(1, many(100, 10), { timeouts: 1 })] },
    ),
    'that was never played': healthyMeasurement({ setUp: null, phases: [], slices: [], rest: null, books: null, left: null }),
  };

  test.each(Object.entries(measurements))('of a run %s holds what the schema says and nothing it does not say', (_name, measurement) => {
    const json: unknown = JSON.parse(reportJson({ measurement, judgement: judged(measurement), highlights: [] }));
    expect(reportSchema.parse(json)).toEqual(json);
  });
});

test('report.json holds what the books come to, and not the books', () => {
  const measurement = healthyMeasurement();
  const books = tellBooks(rightBooks);
  const json = JSON.parse(reportJson({ measurement, judgement: judged(measurement), highlights: [], books })) as { books: object };
  expect(json.books).toMatchObject({ isShared: false, products: 1, orders: 1, lines: 1, movements: 1, strayMovements: 0, notes: [] });
  expect(JSON.stringify(json.books).length).toBeLessThan(300);
  expect(tellBooks({ ...rightBooks, stored: null, notes: ['why'] })).toMatchObject({ orders: null, movements: null, notes: ['why'] });
});

const anyCheck: fc.Arbitrary<Check> = fc.record({
  id: fc.constantFrom('latency-p95', 'orders-kept', 'send-lag'),
  kind: fc.constantFrom('limit', 'content', 'invariant', 'innocence'),
  title: fc.constant('a matter'),
  outcome: fc.constantFrom('met', 'broken', 'excused', 'not-checked'),
  measured: fc.constant('1'),
  limit: fc.constant('2'),
  reason: fc.constant('because'),
});

test('JUnit says what the verdict says: failures when and only when it is FAIL, and neither they nor errors when it is PASS', () => {
  fc.assert(
    fc.property(fc.array(anyCheck, { maxLength: 8 }), (checks) => {
      const measurement = healthyMeasurement();
      const report: Report = { measurement, judgement: judge(measurement, [() => checks]), highlights: [] };
      const [, failures, errors, skipped] = /<testsuite .* failures="(\d+)" errors="(\d+)" skipped="(\d+)"/.exec(reportJunit(report)) ?? [];
      const said = Number(failures) > 0 ? 'FAIL' : Number(errors) > 0 ? 'INVALID' : 'PASS';
      expect(said).toBe(report.judgement.verdict);
      expect(Number(skipped)).toBe(checks.filter(({ outcome }) => outcome === 'not-checked').length);
    }),
  );
});
