import * as z from 'zod';
import { UsageError } from '#lib/errors.ts';
import { showCount, showDuration, showShare } from '#lib/show.ts';
import { broken, met, notChecked, type Check, type CheckHead } from '../judge/check.ts';
import { decide, exitCodeOf, type Verdict } from '../judge/verdict.ts';
import type { Budget } from '../measurement/measurement.ts';
import { casesPage } from '../report/cases-page.ts';
import { sentenceOf } from '../report/junit.ts';
import { caseOf } from '../report/plan-suite.ts';
import { row } from '../report/report-markdown.ts';
import type { RunReport } from '../report/run-report.ts';
import { measuredScenario } from './k6-script.ts';

export type K6Judgement = { readonly plan: string; readonly verdict: Verdict; readonly checks: readonly Check[] };

/** As `--summary-export` writes metrics, and as `handleSummary` is given them, where the figures stand one level deeper. */
const summarySchema = z.object({
  metrics: z.record(z.string(), z.looseObject({ values: z.record(z.string(), z.unknown()).optional() })),
});

type Figures = Readonly<Record<string, unknown>>;
type Metrics = ReadonlyMap<string, Figures>;

/** @throws {UsageError} when it is no summary of k6 */
export function readK6Summary(path: string, text: string): Metrics {
  try {
    const { metrics } = summarySchema.parse(JSON.parse(text));
    return new Map(Object.entries(metrics).map(([name, metric]) => [name, metric.values ?? metric]));
  } catch (err) {
    throw new UsageError(`${path} is neither the folder of a run nor a summary of k6 (k6 run --summary-export FILE)`, { cause: err });
  }
}

/**
 * Judges what k6 measured by the budget of a plan. k6 tells neither whether client and machine were up to it nor what was in the
 * answers, so that a PASS says less than one of our own, and a miss is not held against the client's lateness. Pure.
 */
export function judgeK6(plan: string, budget: Budget, metrics: Metrics): K6Judgement {
  const measured = metrics.get(`http_req_duration{scenario:${measuredScenario}}`) ?? metrics.get('http_req_duration');
  const checks = [
    judgeLatency(95, budget.p95Ms, measured),
    judgeLatency(99, budget.p99Ms, measured),
    judgeErrors(budget.errorRate, metrics.get('wrong_answers') ?? metrics.get('http_req_failed')),
    judgeEndpoints(budget, metrics),
    judgeDropped(metrics.get('dropped_iterations')),
    ...untold.map(({ reason, ...head }) => notChecked(head, reason)),
  ];
  return { plan, verdict: decide(checks), checks };
}

const untold: readonly (CheckHead & { readonly reason: string })[] = [
  { id: 'windows', kind: 'limit', title: 'Every 5 seconds by themselves', reason: 'the summary holds no course over time' },
  { id: 'answers', kind: 'content', title: 'What was in the answers', reason: 'k6 was asked for statuses only' },
  { id: 'books', kind: 'invariant', title: 'The books of the target', reason: 'k6 does not know what was acknowledged' },
  {
    id: 'client',
    kind: 'innocence',
    title: 'Client and machine beside the run',
    reason: 'k6 does not watch its own lateness or the machine',
  },
];

const numberIn = (figures: Figures | undefined, name: string): number | undefined => {
  const value = figures?.[name];
  return typeof value === 'number' ? value : undefined;
};

function judgeLatency(percentile: number, limitMs: number, figures: Figures | undefined): Check {
  const head = { id: `latency-p${percentile}`, kind: 'limit', title: `${percentile} % of answers within`, isSpeed: true } as const;
  const limit = `< ${showDuration(limitMs)}`;
  const ms = numberIn(figures, `p(${percentile})`);
  if (ms === undefined) return notChecked(head, `the summary holds no p(${percentile}) of http_req_duration`, limit);
  const measured = showDuration(ms);
  return ms < limitMs ? met(head, measured, limit) : broken(head, measured, limit, `p${percentile} is ${measured}, allowed is ${limit}`);
}

/** Of a Rate: `--summary-export` calls it value, `handleSummary` rate. */
const rateOf = (figures: Figures | undefined): number | undefined => numberIn(figures, 'rate') ?? numberIn(figures, 'value');

function judgeErrors(limitRate: number, figures: Figures | undefined): Check {
  const head = { id: 'error-rate', kind: 'limit', title: 'Requests without the right answer' } as const;
  const [rate, limit] = [rateOf(figures), `< ${showShare(limitRate)}`];
  if (rate === undefined) return notChecked(head, 'the summary holds neither wrong_answers nor http_req_failed', limit);
  const measured = showShare(rate);
  return rate < limitRate
    ? met(head, measured, limit)
    : broken(head, measured, limit, `${measured} of the requests failed, allowed is ${limit}`);
}

/** A percentile of an endpoint that less than one answer stands for says nothing. */
const leastAnswers = { 95: 20, 99: 100 } as const;

function judgeEndpoints(budget: Budget, metrics: Metrics): Check {
  const head = { id: 'endpoint-latency', kind: 'limit', title: 'Each endpoint by itself: latency', isSpeed: true } as const;
  const limit = `95 % < ${showDuration(budget.p95Ms)}, 99 % < ${showDuration(budget.p99Ms)}`;
  const known = [...metrics].flatMap(([name, figures]) => {
    const endpoint = /^http_req_duration\{.*endpoint:([^}]*)\}$/.exec(name)?.[1];
    return endpoint === undefined ? [] : [{ endpoint, figures }];
  });
  if (known.length === 0) return notChecked(head, 'the summary tells endpoints not apart', limit);
  const missed = known.flatMap(({ endpoint, figures }) =>
    ([95, 99] as const).flatMap((percentile) => {
      const [ms, count] = [numberIn(figures, `p(${percentile})`), numberIn(figures, 'count') ?? Infinity];
      const limitMs = percentile === 95 ? budget.p95Ms : budget.p99Ms;
      if (ms === undefined || count < leastAnswers[percentile] || ms < limitMs) return [];
      return [`${endpoint}: p${percentile} is ${showDuration(ms)}`];
    }),
  );
  if (missed.length === 0) return met(head, `${known.length} of ${known.length}`, limit);
  return broken(head, missed.join('; '), limit, `${missed.join('; ')}; allowed is ${limit}`);
}

/** What no user was free for was never sent: the load was less than asked for. */
function judgeDropped(figures: Figures | undefined): Check {
  const head = { id: 'arrivals-sent', kind: 'innocence', title: 'Requests dropped' } as const;
  const count = numberIn(figures, 'count') ?? 0;
  if (count === 0) return met(head, '0', '0');
  return broken(head, showCount(count), '0', `${showCount(count)} requests were due and not sent: no user was free`);
}

/** The run for people and programs. Pure but for the style sheet of its page. @param startedAt when it was judged: k6 tells no time */
export async function k6Report({ plan, verdict, checks }: K6Judgement, startedAt: string): Promise<RunReport> {
  const name = `k6 ${plan}`;
  const cases = checks.map((check) => caseOf(check, name));
  const suites = [{ name, startedAt, verdict, cases, beside: [`the plan "${plan}", measured by k6`] }];
  const rows = checks.map(({ outcome, title, measured, limit, reason }) => row([outcome, title, measured, limit, reason]));
  const run = {
    name,
    verdict,
    sentence: sentenceOf(verdict, cases),
    startedAt,
    text: k6Text(plan, checks),
    json: { version: 1, exitCode: exitCodeOf[verdict], plan, verdict, checks },
    suites,
    markdown: `# ${name}: ${verdict}\n\n| | check | found | allowed | |\n|---|---|---|---|---|\n${rows.join('\n')}\n`,
  };
  return { ...run, html: await casesPage(run) };
}

function k6Text(plan: string, checks: readonly Check[]): string {
  const lines = checks.map(({ outcome, title, measured, limit, reason }) => {
    const allowed = limit === '' ? '' : ` (${limit})`;
    return outcome === 'not-checked' ? `not checked: ${title}: ${reason}` : `${outcome}: ${title} ${measured}${allowed}`;
  });
  return [`${plan}, measured by k6`, ...lines].join('\n');
}
