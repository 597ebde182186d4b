import { resolve } from 'node:path';
import { playPhase } from '#loadtest/generate/play-phase.ts';
import { mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { mergeSlices, sumCounts, type Counts } from '#loadtest/measurement/merge.ts';
import type { Load, Phase, PlayedPhase, Slice } from '#loadtest/measurement/measurement.ts';
import type { ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';
import type { Catalogue } from '#loadtest/scenarios/shop/catalogue.ts';
import { fakeGoods } from '../fake-api.ts';

export const smallCatalogue: Catalogue = { goods: fakeGoods, orderable: [1, 2, 3, 4, 5], words: ['lamp', 'chair'] };

export type SmallChanges = Partial<Omit<Phase, 'load'>> & {
  readonly users?: number;
  /** Undefined: they never pause. */
  readonly thinkMs?: readonly [number, number] | undefined;
  readonly seed?: number;
  readonly catalogue?: Catalogue;
};

export type SmallResult = PlayedPhase & { readonly slices: readonly Slice[]; readonly events: readonly unknown[] };

/** A short run of the real generator, in its own processes, against a server of the test. */
export async function runSmallLoad(origin: string, changes: SmallChanges = {}): Promise<SmallResult> {
  const { users = 10, seed = 7, catalogue = smallCatalogue, ...rest } = changes;
  const thinkMs = 'thinkMs' in changes ? changes.thinkMs : ([20, 60] as const);
  const load: Load = thinkMs === undefined ? { kind: 'saturating', users } : { kind: 'closed', users, thinkMs };
  const base = { name: 'small', script: 'shop', warmUpMs: 0, durationMs: 1_500, timeoutMs: 1_000, processes: 1 };
  const facts: ShopFacts = { runId: 'test', catalogue, weights: { browse: 1, buy: 1, lookBack: 1 }, slowShare: 0, isShared: false };
  const [slices, events]: [Slice[], unknown[]] = [[], []];
  const played = await playPhase({
    origin,
    phase: { ...base, ...rest, load },
    startSecond: 0,
    seed,
    crowdFile: resolve(import.meta.dirname, '../../../../loadtest/scenarios/shop/crowd.ts'),
    facts,
    users: Array.from({ length: users }, (_, i) => ({ clientId: 100 + i, accessToken: `token-${i}` })),
    onSlices: (news) => slices.push(...news),
    onEvents: (news) => events.push(...news),
  });
  return { ...played, slices: mergeSlices(slices), events };
}

export const countsOf = (result: SmallResult): Counts => sumCounts(result.slices);

export const latencyOf = (result: SmallResult, percentile: number): number =>
  percentileMs(mergeHistograms(result.slices.map(({ latency }) => latency)), percentile) ?? Number.NaN;
