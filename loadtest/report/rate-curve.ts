import { kneeOf } from '../capacity/curve.ts';
import { probesOf, type Probe } from '../capacity/probes.ts';
import { demandOf } from '../capacity/judge-capacity.ts';
import type { Measurement } from '../measurement/measurement.ts';

/** p95 at each rate that was held, parted by what became of the limits there; columns of equal length, ascending by rate. */
export type RateCurve = {
  readonly rate: readonly number[];
  readonly kept: readonly (number | null)[];
  readonly missed: readonly (number | null)[];
  readonly unclear: readonly (number | null)[];
  /** Rates to be marked: where p95 bends upward by itself, and what people ask for; null where there is none. */
  readonly knee: number | null;
  readonly demand: number | null;
};

/** The least rates that make a curve. */
const minRates = 3;

/** How latency grows with the rate, from a run that held several. Undefined where it did not. Pure. */
export function rateCurve(measurement: Measurement): RateCurve | undefined {
  const { phases, people } = measurement;
  if (!phases.every(({ load }) => load.kind === 'open' && load.stages.length === 1)) return undefined;
  const probes = probesOf(measurement)
    .filter(({ judgement }) => judgement.figures.latency.p95Ms !== null)
    .toSorted((a, b) => a.rate - b.rate);
  if (new Set(probes.map(({ rate }) => rate)).size < minRates) return undefined;
  const column = (outcome: Probe['outcome']): (number | null)[] => probes.map((probe) => (probe.outcome === outcome ? p95Of(probe) : null));
  return {
    rate: probes.map(({ rate }) => rate),
    kept: column('kept'),
    missed: column('missed'),
    unclear: column('unclear'),
    knee: kneeOf(meanByRate(probes))?.x ?? null,
    demand: people ? demandOf(people) : null,
  };
}

const p95Of = ({ judgement }: Probe): number => judgement.figures.latency.p95Ms ?? 0;

/** Far beyond the limits the curve is only as steep as the probes were long; it is looked at up to half beyond. */
function meanByRate(probes: readonly Probe[]): { x: number; y: number }[] {
  const missed = Math.min(...probes.filter(({ outcome }) => outcome === 'missed').map(({ rate }) => rate));
  return [...Map.groupBy(probes, ({ rate }) => rate)]
    .filter(([rate]) => rate <= 1.5 * missed)
    .map(([x, same]) => ({ x, y: same.reduce((sum, probe) => sum + p95Of(probe), 0) / same.length }));
}
