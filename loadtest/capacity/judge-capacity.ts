import { showDuration } from '#lib/show.ts';
import { broken, met, notChecked, type Check, type CheckHead, type Judge } from '../judge/check.ts';
import type { Highlight } from '../judge/figures.ts';
import type { Measurement, People } from '../measurement/measurement.ts';
import { fitUsl, kneeOf } from './curve.ts';
import { probesOf, type Probe } from './probes.ts';
import { boundsOf, nextStep, type Next } from './search.ts';

/** Requests a second of people who pause so long between two, were every answer there at once. */
export const demandOf = ({ users, thinkMs: [least, most] }: People): number => users / ((least + most) / 2_000);

/** Whether the service has capacity for the people it is meant for; INVALID when client and machine could not tell. */
export const judgeCapacity: Judge = (measurement) => {
  const head = { id: 'capacity', kind: 'limit', title: 'Requests a second within all limits', isSpeed: true } as const;
  const { people } = measurement;
  if (people === undefined) return [notChecked(head, 'nobody said how many people it must suffice for')];
  const limit = `≥ ${showRate(demandOf(people))}, what ${describePeople(people)} ask for`;
  const probes = probesOf(measurement);
  if (probes.length === 0) return [notChecked(head, 'no rate was tried', limit)];
  return [conclude(head, probes, nextStep(probes, boundsOf(measurement.budget)), { people, limit })];
};

type Question = { readonly people: People; readonly limit: string };

function conclude(head: CheckHead, probes: readonly Probe[], answer: Next, { people, limit }: Question): Check {
  const innocence = { ...head, kind: 'innocence', title: 'Client and machine could tell the capacity' } as const;
  const measured = showAnswer(answer);
  if (answer.kind === 'probe') return broken(innocence, measured, limit, 'the search was ended before it had found the capacity');
  if (answer.kind === 'untold') {
    const why = lastAt(probes, answer.rate, 'unclear')?.why ?? '';
    const kept = answer.low === undefined ? '' : `; up to ${showRate(answer.low)} it kept its limits`;
    return broken(innocence, measured, limit, `at ${showRate(answer.rate)} client and machine could not tell: ${why}${kept}`);
  }
  if (answer.kind === 'unsettled') {
    return broken(innocence, measured, limit, `after ${probes.length} tries the same rates were still kept now and missed then`);
  }
  const reason = [limiter(probes, answer), bend(probes, answer), law(probes)].filter(Boolean).join('; ');
  if (answer.kind !== 'nothing' && answer.low >= demandOf(people)) return met(head, measured, limit, reason);
  return broken(head, measured, limit, `its capacity is ${measured}, needed is ${limit}${reason && `; ${reason}`}`);
}

/** What was missed just above the capacity, and what the service was short of there. */
function limiter(probes: readonly Probe[], answer: Next): string {
  if (!('high' in answer) || answer.high === undefined) return '';
  const judgement = lastAt(probes, answer.high, 'missed')?.judgement;
  if (judgement === undefined) return '';
  return `at ${showRate(answer.high)} ${judgement.limitedBy ?? judgement.reasons[0] ?? 'the limits were missed'}`;
}

/** Where the latency bends by itself, beside where it crosses the limit; far apart, the limit says little about the service. */
function bend(probes: readonly Probe[], answer: Next): string {
  if (answer.kind !== 'found') return '';
  const p95s = [...Map.groupBy(probes, ({ rate }) => rate)].map(([x, same]) => {
    const values = same.map(({ judgement }) => judgement.figures.latency.p95Ms ?? 0);
    return { x, y: values.reduce((sum, ms) => sum + ms, 0) / values.length };
  });
  // Far beyond the limit the curve is only as steep as the probes were long.
  const knee = kneeOf(p95s.filter(({ x }) => x <= bendWithin * answer.high));
  if (knee === undefined) return '';
  return `p95 bends upward from ${showRate(knee.x)} on, at ${showDuration(knee.y)}`;
}

const bendWithin = 1.5;

/**
 * What the Universal Scalability Law makes of the same tries: throughput over how many requests were under way, which by
 * Little's law is throughput × mean latency.
 */
function law(probes: readonly Probe[]): string {
  const told = probes.filter(({ outcome, judgement }) => outcome !== 'unclear' && judgement.figures.latency.meanMs !== null);
  const levels = told.map(({ judgement: { figures } }) => ({
    size: (figures.throughput * (figures.latency.meanMs ?? 0)) / 1_000,
    perSecond: figures.throughput,
  }));
  const fit = fitUsl(levels.filter(({ size }) => size > 0));
  if (fit.kind === 'refused') return `Universal Scalability Law: not used, ${fit.says}`;
  const fastest = Math.max(...levels.map(({ perSecond }) => perSecond));
  if (fit.highest > lawWithin * fastest) return 'Universal Scalability Law: not used, its highest point lies far beyond what was tried';
  return `Universal Scalability Law: at most ${showRate(fit.highest)} (σ ${fit.sigma.toFixed(3)}, κ ${fit.kappa.toFixed(5)}, R² ${fit.rSquared.toFixed(2)})`;
}

/** Farther beyond what was measured it is a guess. */
const lawWithin = 1.25;

const lastAt = (probes: readonly Probe[], rate: number, outcome: Probe['outcome']): Probe | undefined =>
  probes.findLast((probe) => probe.rate === rate && probe.outcome === outcome);

/** The figures one looks for first: capacity with its interval, and how many times the people it was asked for fit in. */
export function capacityHighlights(measurement: Measurement): Highlight[] {
  const { people, budget } = measurement;
  const probes = probesOf(measurement);
  if (people === undefined || probes.length === 0) return [];
  const answer = nextStep(probes, boundsOf(budget));
  const low = 'low' in answer ? answer.low : undefined;
  const headroom = low === undefined ? '–' : `${(low / demandOf(people)).toFixed(1)} ×`;
  return [
    { label: 'Capacity', value: showAnswer(answer), note: `in ${probes.length} tries` },
    { label: 'Headroom', value: headroom, note: `what ${describePeople(people)} ask for: ${showRate(demandOf(people))}` },
  ];
}

function showAnswer(answer: Next): string {
  if (answer.kind === 'found') return `${showRate(answer.low)} (missed at ${showRate(answer.high)})`;
  if (answer.kind === 'nothing') return `< ${showRate(answer.high)}`;
  const low = 'low' in answer ? answer.low : undefined;
  return low === undefined ? 'unknown' : `≥ ${showRate(low)}`;
}

const showRate = (perSecond: number): string => `${Number(perSecond.toPrecision(3)).toLocaleString('en-US')}/s`;

const describePeople = ({ users, thinkMs: [least, most] }: People): string =>
  `${users.toLocaleString('en-US')} people pausing ${least === most ? '' : `${least / 1_000}–`}${most / 1_000} s`;
