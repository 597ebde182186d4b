import { runClosedLoad, type ClosedLoadResult } from '#loadtest/generate/closed-load.ts';
import type { Catalogue } from '#loadtest/scenarios/shop/journey.ts';
import { mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { sumCounts, type Counts } from '#loadtest/measurement/merge.ts';
import type { Profile } from '#loadtest/measurement/measurement.ts';

export const smallCatalogue: Catalogue = {
  productIds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  orderableIds: [1, 2, 3, 4, 5],
  categoryIds: [1, 2],
  words: ['lamp', 'chair'],
};

export const smallProfile: Profile = {
  users: 10,
  thinkMs: [20, 60],
  warmUpMs: 0,
  durationMs: 1_500,
  timeoutMs: 1_000,
  processes: 1,
  seed: 7,
  mix: [],
};

/** A short run of the real generator, in its own processes, against a server of the test. */
export function runSmallLoad(origin: string, profile: Partial<Profile> = {}, catalogue = smallCatalogue): Promise<ClosedLoadResult> {
  const full = { ...smallProfile, ...profile };
  return runClosedLoad({
    origin,
    crowd: { script: 'shop', runId: 'test', profile: full, catalogue, weights: { browse: 1, buy: 1, lookBack: 1 }, slowShare: 0 },
    clients: Array.from({ length: full.users }, (_, i) => ({ clientId: 100 + i, accessToken: `token-${i}` })),
  });
}

export const countsOf = (result: ClosedLoadResult): Counts => sumCounts(result.slices);

export const latencyOf = (result: ClosedLoadResult, percentile: number): number =>
  percentileMs(mergeHistograms(result.slices.map(({ latency }) => latency)), percentile) ?? Number.NaN;
