import { timingParts, type TimingBand, type TimingPart } from '../measurement/measurement.ts';

/** Where the time of the slowest answers went: shares of their latency, 0–1, that sum up to about 1. */
export type Attribution = Readonly<Record<TimingPart | 'outside', number>>;

/** The shares of the latency of the slowest 5 %, or another share, of these answers; undefined when the server told no times. Pure. */
export function attributeLatency(bands: readonly TimingBand[], slowestShare = 0.05): Attribution | undefined {
  const slowestFirst = bands.toSorted((a, b) => b.band - a.band);
  const wanted = slowestFirst.reduce((sum, { count }) => sum + count, 0) * slowestShare;
  if (wanted === 0) return undefined;
  const sums = { queue: 0, pool: 0, db: 0, app: 0 };
  let [taken, latencyMs] = [0, 0];
  for (const band of slowestFirst) {
    if (taken >= wanted) break;
    // Of the last band only as many as are needed; within a band all count alike.
    const part = Math.min(1, (wanted - taken) / band.count);
    taken += band.count;
    latencyMs += band.latencySumMs * part;
    for (const name of timingParts) sums[name] += band.sumMs[name] * part;
  }
  const inside = timingParts.reduce((sum, name) => sum + sums[name], 0);
  const whole = Math.max(latencyMs, inside);
  const share = (ms: number): number => (whole === 0 ? 0 : ms / whole);
  return { queue: share(sums.queue), pool: share(sums.pool), db: share(sums.db), app: share(sums.app), outside: share(whole - inside) };
}
