import { messageOf } from '#lib/errors.ts';
import { showDuration, showShare } from '#lib/show.ts';
import type { Clock, Fact } from '../model/look.ts';
import { MonitorFaultError, type Probe, type ProbeReport } from '../probes/probe.ts';
import type { SloLedger } from '../store/store.ts';
import { budgetLeft, burnFactor, findBurning, periodMs, type Burning, type Counts } from './burn.ts';
import type { LoadTestSight } from './load-test-sight.ts';
import { readMetrics } from './read-metrics.ts';
import { increase, readTotals, type Answers, type Indicator, type Totals } from './request-totals.ts';

/** What was last read of each source of each objective; kept over a reload, so that no answer goes uncounted. */
export type SloMarks = Map<string, Totals>;

export type Slo = Indicator & {
  readonly name: string;
  /** Share of answers that must be good, such as 0.999. */
  readonly objective: number;
  /** Where APIs show their metrics. */
  readonly sources: readonly URL[];
};

export type SloProbeDeps = {
  readonly ledger: SloLedger;
  readonly marks: SloMarks;
  readonly loadTests: LoadTestSight;
  readonly clock: Clock;
  /** What the sources ask for; a secret. */
  readonly token: string | undefined;
  /** Reads a source; default: by HTTP. */
  readonly read?: (url: URL, token: string | undefined, signal: AbortSignal) => Promise<string>;
};

/**
 * A probe of an objective: it adds what was answered since the last look to the ledger, and fails while the error budget burns so
 * fast that somebody must be woken; degraded: so fast that it will not last.
 */
export function sloProbe(slo: Slo, deps: SloProbeDeps): Probe {
  return async (signal) => {
    const read = await Promise.allSettled(slo.sources.map((source) => readSource(slo, source, { ...deps, signal })));
    const failure = read.find((each) => each.status === 'rejected');
    if (failure && read.every(({ status }) => status === 'rejected')) {
      throw new MonitorFaultError(`no metrics can be read: ${messageOf(failure.reason)}`);
    }
    const counts = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const now = deps.clock();
    const { at } = now;
    deps.loadTests.note(sumOf(counts, 'loadTest'), now);
    deps.ledger.add(slo.name, { at, good: sumOf(counts, 'good'), bad: sumOf(counts, 'bad') });
    return judgeSlo(slo, (windowMs) => deps.ledger.sum(slo.name, at - windowMs));
  };
}

/** What an objective is like now. Pure but for the counts it asks for. */
export function judgeSlo({ objective }: Pick<Slo, 'objective'>, countsOf: (windowMs: number) => Counts): ProbeReport {
  const period = countsOf(periodMs);
  const left = budgetLeft(objective, period);
  const facts: Fact[] = [
    ['Error budget', { code: 'budgetLeft', leftShare: left, ofMs: periodMs }],
    ['Answers', { code: 'badOf', bad: period.bad, all: period.good + period.bad, mayBeShare: 1 - objective }],
  ];
  const burning = findBurning(objective, countsOf);
  if (!burning) return { outcome: 'ok', detail: `${showShare(1 - objective)} of answers may be bad; the budget lasts`, facts };
  return {
    outcome: burning.rule.severity === 'page' ? 'failed' : 'degraded',
    detail: describeBurning(objective, burning),
    facts,
    nextStep: { code: 'seeBadAnswers' },
  };
}

function describeBurning(objective: number, { rule, long: { good, bad } }: Burning): string {
  const times = bad / (good + bad) / (1 - objective);
  return `${bad} of ${good + bad} answers were bad in ${showDuration(rule.longMs)}: the error budget burns ${times.toFixed(1)} times as fast as it may, and more than ${burnFactor(rule)} is no accident`;
}

const sumOf = (counts: readonly Answers[], which: keyof Answers): number => counts.reduce((sum, each) => sum + each[which], 0);

/** What one source has answered since the last look; the first look only begins to count. */
async function readSource(
  slo: Slo,
  source: URL,
  { marks, token, signal, read = readMetrics }: SloProbeDeps & { readonly signal: AbortSignal },
): Promise<Answers> {
  const key = `${slo.name} ${slo.slowerThanSeconds ?? ''} ${source.href}`;
  const now = readTotals(await read(source, token, signal), slo);
  const before = marks.get(key) ?? new Map<string, Answers>();
  // A worker that did not answer this time goes on from where it was.
  marks.set(key, new Map([...before, ...now]));
  return increase(before, now);
}
