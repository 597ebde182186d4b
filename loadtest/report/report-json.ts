import { exitCodeOf } from '../judge/verdict.ts';
import { failuresOf } from '../judge/limits.ts';
import { verdictSentence } from './describe.ts';
import { rateCurve } from './rate-curve.ts';
import type { ReportJson } from './report-schema.ts';
import type { Report } from './report.ts';

/** Everything in a report may be read and nothing changed. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** What report.json holds: everything but what was measured second by second, which stands in measurement.jsonl. */
export function resultOf(report: Report): Frozen<ReportJson> {
  const { judgement, measurement, highlights } = report;
  const { plan, scenario, runId, startedAt, target, seed, mix, budget, client, rest, left } = measurement;
  const phases = measurement.phases.map(({ name, load, script, warmUpMs, durationMs, timeoutMs, processes, startSecond, lost }) => ({
    name,
    load,
    script,
    warmUpMs,
    durationMs,
    timeoutMs,
    processes,
    startSecond,
    lost,
  }));
  const run = { version: 1, plan, scenario, runId, startedAt, target, seed, mix, budget, phases } as const;
  const curve = rateCurve(measurement) ?? null;
  const books = (report.books === undefined ? measurement.books : report.books) as ReportJson['books'];
  const found = { curve, highlights, failures: failuresOf(measurement), client, rest, books, left };
  const exitCode = exitCodeOf[judgement.verdict] as ReportJson['exitCode'];
  return { ...run, baseline: report.baseline ?? null, exitCode, sentence: verdictSentence(report), ...judgement, ...found };
}
