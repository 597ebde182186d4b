import { exitCodeOf, worstVerdict } from '../judge/verdict.ts';
import { failuresOf } from '../judge/limits.ts';
import type { Report } from './report.ts';

/** A result for programs: everything but what was measured second by second, which stands in measurement.jsonl. */
export const reportJson = (report: Report): string => `${JSON.stringify(resultOf(report), null, 2)}\n`;

/** Several plans run by one command. */
export function gateJson(name: string, reports: readonly Report[]): string {
  const verdict = worstVerdict(reports.map(({ judgement }) => judgement.verdict));
  return `${JSON.stringify({ gate: name, verdict, exitCode: exitCodeOf[verdict], plans: reports.map(resultOf) }, null, 2)}\n`;
}

function resultOf({ judgement, measurement, highlights }: Report): object {
  const { plan, scenario, runId, startedAt, target, seed, mix, budget, client, rest, books, left } = measurement;
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
  const run = { plan, scenario, runId, startedAt, target, seed, mix, budget, phases };
  const found = { highlights, failures: failuresOf(measurement), client, rest, books, left };
  return { ...run, exitCode: exitCodeOf[judgement.verdict], ...judgement, ...found };
}
