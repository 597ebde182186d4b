import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UsageError } from '#lib/errors.ts';
import { showDuration, showShare, showTime } from '#lib/show.ts';
import type { EndpointFigures, Figures, LatencyFigures } from '../judge/figures.ts';
import { errorCount, settledCount } from '../measurement/merge.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { describeLoad } from './describe.ts';
import { reportSchema, type ReportJson } from './report-schema.ts';

/** An earlier run to look at beside this one. */
export type Baseline = { readonly path: string; readonly report: ReportJson };

/** What is put side by side, of all requests or of one endpoint. */
export type Line = {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Right answers a second. */
  readonly perSecond: number;
  readonly errorRate: number;
};

export type BaselineRow = { readonly endpoint: string; readonly before: Line | null; readonly now: Line | null };

export type BaselineComparison = {
  readonly path: string;
  readonly startedAt: string;
  readonly verdict: ReportJson['verdict'];
  /** What else was not the same, one phrase each. */
  readonly differences: readonly string[];
  /** The first is of all requests. */
  readonly rows: readonly BaselineRow[];
};

/** What is said wherever the two are shown. */
export const baselineCaution =
  'Two runs at different times prove nothing about a change: the machine was another too. `npm run loadtest -- compare` plays both in turn.';

/**
 * Reads an earlier result: a report.json, or the folder it stands in; of a command with several plans that of this plan.
 * @throws {UsageError} when there is none, or it is no such file
 */
export async function readBaseline(path: string, plan: string): Promise<Baseline> {
  for (const file of await candidates(path, plan)) {
    const text = await readFile(file, 'utf8').catch((err: unknown) => {
      if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw new UsageError(`--baseline ${file}: ${messageOf(err)}`, { cause: err });
    });
    if (text !== undefined) return { path: file, report: parse(file, text) };
  }
  throw new UsageError(`--baseline ${path}: there is no report.json of the plan "${plan}"`);
}

async function candidates(path: string, plan: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? [join(path, plan, 'report.json'), join(path, 'report.json')] : [path];
}

function parse(file: string, text: string): ReportJson {
  try {
    return reportSchema.parse(JSON.parse(text));
  } catch (err) {
    throw new UsageError(`--baseline ${file} is no report.json that this program can read; judge that run anew with report --from`, {
      cause: err,
    });
  }
}

/** Puts a run beside an earlier one. Says what changed, and not why. Pure. */
export function compareWithBaseline(measurement: Measurement, figures: Figures, { path, report }: Baseline): BaselineComparison {
  const [before, now] = [linesOf(report.figures, report.phases), linesOf(figures, measurement.phases)];
  const names = [...new Set([...now.keys(), ...before.keys()])];
  return {
    path,
    startedAt: report.startedAt,
    verdict: report.verdict,
    differences: differencesOf(measurement, report),
    rows: names.map((endpoint) => ({ endpoint, before: before.get(endpoint) ?? null, now: now.get(endpoint) ?? null })),
  };
}

const allRequests = 'all requests';

type Timed = readonly { readonly warmUpMs: number; readonly durationMs: number }[];

function linesOf({ latency, errorRate, throughput, endpoints }: ReportJson['figures'] | Figures, phases: Timed): Map<string, Line> {
  const seconds = phases.reduce((sum, { warmUpMs, durationMs }) => sum + (warmUpMs + durationMs) / 1_000, 0);
  const line = ({ latency: times, counts }: Pick<EndpointFigures, 'latency' | 'counts'>): Line => ({
    ...percentiles(times),
    perSecond: seconds === 0 ? 0 : (counts.ok + counts.refused) / seconds,
    errorRate: settledCount(counts) === 0 ? 0 : errorCount(counts) / settledCount(counts),
  });
  const all: Line = { ...percentiles(latency), perSecond: throughput, errorRate };
  return new Map([[allRequests, all], ...endpoints.map((one): [string, Line] => [one.endpoint, line(one)])]);
}

/** A percentile that less than one answer stands for is that of one slow answer, and compares with nothing. */
const percentiles = ({ count, p50Ms, p95Ms, p99Ms }: LatencyFigures): Pick<Line, 'p50Ms' | 'p95Ms' | 'p99Ms'> => ({
  p50Ms,
  p95Ms: count < 20 ? null : p95Ms,
  p99Ms: count < 100 ? null : p99Ms,
});

const settingsOf = (effective: Readonly<Record<string, unknown>> | null): Map<string, string> =>
  new Map(Object.entries(effective ?? {}).map(([name, value]) => [name, JSON.stringify(value)]));

function differencesOf(measurement: Measurement, report: ReportJson): string[] {
  const [before, now] = [settingsOf(report.target.effective), settingsOf(measurement.target.effective)];
  const pairs: [string, string, string][] = [
    ['plan', report.plan, measurement.plan],
    ['load', describeLoad(report), describeLoad(measurement)],
    ['target', report.target.kind === 'own' ? 'a stack of its own' : report.target.origin, placeOf(measurement)],
    ['cores', String(report.client.cores), String(measurement.client.cores)],
    ...[...new Set([...before.keys(), ...now.keys()])]
      .filter((name) => !ownPlaces.test(name))
      .map((name): [string, string, string] => [name, before.get(name) ?? 'unknown', now.get(name) ?? 'unknown']),
  ];
  return pairs.filter(([, was, is]) => was !== is).map(([name, was, is]) => `${name}: ${was} → ${is}`);
}

const placeOf = ({ target }: Measurement): string => (target.kind === 'own' ? 'a stack of its own' : target.origin);

/** What is another in every run of a stack of its own and changes nothing: places, and what is hidden anyway. */
const ownPlaces = /HOST|PORT|URL|PATH|DIR|FILE|NAME|SECRET|PASSWORD|TOKEN|KEY/;

/** `12 ms → 14 ms (+17 %)`. */
export function showChange(before: number | null | undefined, now: number | null | undefined, show: (value: number) => string): string {
  const [was, is] = [before, now].map((value) => (value === null || value === undefined ? '–' : show(value)));
  if (!before || now === null || now === undefined) return `${was} → ${is}`;
  const percent = Math.round(100 * (now / before - 1));
  return `${was} → ${is} (${percent > 0 ? '+' : percent < 0 ? '−' : '±'}${Math.abs(percent)} %)`;
}

/** The cells of a row: p50, p95, p99, right answers a second, errors. */
export const changesOf = ({ before, now }: BaselineRow): string[] => [
  showChange(before?.p50Ms, now?.p50Ms, showDuration),
  showChange(before?.p95Ms, now?.p95Ms, showDuration),
  showChange(before?.p99Ms, now?.p99Ms, showDuration),
  showChange(before?.perSecond, now?.perSecond, (rate) => `${Number(rate.toPrecision(3))}/s`),
  `${before ? showShare(before.errorRate) : '–'} → ${now ? showShare(now.errorRate) : '–'}`,
];

export const changeNames = ['p50', 'p95', 'p99', 'right answers', 'errors'] as const;

/** One line for people on what is compared with what. */
export const describeBaseline = ({ path, startedAt, verdict }: BaselineComparison): string =>
  `${path}, of ${showTime(startedAt)}, ${verdict}`;
