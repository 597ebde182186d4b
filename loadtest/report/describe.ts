import { showCount, showCountOf, showDuration, showShare } from '#lib/show.ts';
import type { Judgement, Verdict } from '../judge/verdict.ts';
import type { Load, Measurement, OpenLoad, Phase } from '../measurement/measurement.ts';

/** What was done, in one phrase: `400 users, pausing 1–3 s, for 30 s after 5 s of warm-up`. */
export function describeLoad({ phases, mix }: Pick<Measurement, 'mix'> & { readonly phases: readonly Phase[] }): string {
  const mixed = mix.length === 0 ? '' : `, with ${mix.join(' and ')} mixed in`;
  if (phases.length > maxDescribed && phases.every(({ load }) => load.kind === 'open')) return `${describeSteps(phases)}${mixed}`;
  return `${phases.map(describePhase).join('; then ') || 'nothing was played'}${mixed}`;
}

/** More are told together. */
const maxDescribed = 2;

/** `5 steps of 50–400 requests/s arriving at random, 8 s each`. */
function describeSteps(phases: readonly Phase[]): string {
  const loads = phases.flatMap(({ load }) => (load.kind === 'open' ? [load] : []));
  const lengths = [...new Set(phases.map(({ durationMs }) => showPause(durationMs)))].join(' or ');
  const spacing = loads[0]?.spacing ?? 'poisson';
  return `${phases.length} steps of ${describeArrivals({ stages: loads.flatMap(({ stages }) => stages), spacing })}, ${lengths} each`;
}

/** One step of it. */
export function describePhase({ load, durationMs, warmUpMs }: Phase): string {
  return `${load.kind === 'open' ? describeArrivals(load) : `${showCount(load.users)} users, ${describePause(load)}`}, for ${showPause(durationMs)} after ${showPause(warmUpMs)} of warm-up`;
}

/** `1,000 requests/s arriving at random`, `100–500 requests/s arriving evenly`. */
function describeArrivals({ stages, spacing }: Pick<OpenLoad, 'stages' | 'spacing'>): string {
  const rates = stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map((rate) => showCount(Math.round(rate)));
  return `${least === most ? most : `${least}–${most}`} requests/s arriving ${spacing === 'even' ? 'evenly' : 'at random'}`;
}

function describePause(load: Exclude<Load, OpenLoad>): string {
  if (load.kind === 'saturating') return 'never pausing';
  const [least, most] = load.thinkMs;
  return `pausing ${least === most ? showPause(most) : showRange(least, most)}`;
}

const showPause = (ms: number): string => (ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`);

function showRange(least: number, most: number): string {
  return least >= 1_000 ? `${least / 1_000}–${most / 1_000} s` : `${showPause(least)} to ${showPause(most)}`;
}

/** A latency that may be unknown. */
export const showLatency = (ms: number | null): string => (ms === null ? '–' : showDuration(ms));

/** What came of the run, in one sentence. */
export function verdictSentence({
  measurement,
  judgement,
}: {
  readonly measurement: Pick<Measurement, 'budget'>;
  readonly judgement: Judgement;
}): string {
  const { verdict, reasons, checks, figures } = judgement;
  const told = outcomeWords.flatMap(([outcome, word]) => {
    const count = checks.filter((check) => check.outcome === outcome).length;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const isTimed = checks.some(({ id, outcome }) => id === 'latency-p95' && outcome === 'met');
  const speed = isTimed
    ? `95 % of the answers within ${showLatency(figures.latency.p95Ms)} (allowed < ${showDuration(measurement.budget.p95Ms)}), `
    : '';
  return sayVerdict(verdict, reasons, `${speed}${showShare(figures.errorRate)} errors; ${told.join(', ')}`);
}

/** A verdict in one sentence, with the first of its reasons; of PASS with what there is to say of that. */
export function sayVerdict(verdict: Verdict, [first = 'nothing was measured', ...others]: readonly string[], passed: string): string {
  const more = others.length > 0 ? `; and ${showCountOf(others.length, 'more reason')} below` : '';
  if (verdict === 'FAIL') return `The service did not pass: ${first}${more}.`;
  if (verdict === 'INVALID') return `Nothing is proved, neither for nor against the service: ${first}${more}.`;
  return `The service passed: ${passed}.`;
}

const outcomeWords = [
  ['met', 'checks met'],
  ['tolerated', 'tolerated'],
  ['not-checked', 'not checked'],
] as const;
