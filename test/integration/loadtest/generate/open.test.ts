import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { playPhase } from '#loadtest/generate/play-phase.ts';
import { decodeHistogram, mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { droppedCount, mergeSlices, sumCounts } from '#loadtest/measurement/merge.ts';
import type { OpenLoad, Phase, PlayedPhase, Slice } from '#loadtest/measurement/measurement.ts';
import { startQueueServer, type QueueServer, type QueueSettings } from '#test/support/queue-server.ts';

type Played = PlayedPhase & { readonly slices: readonly Slice[] };

async function start(settings: QueueSettings): Promise<QueueServer> {
  const server = await startQueueServer(settings);
  onTestFinished(server.stop);
  return server;
}

async function play(origin: string, load: Partial<OpenLoad> & { perSecond: number }, changes: Partial<Phase> = {}): Promise<Played> {
  const { perSecond, users = 100, ...rest } = load;
  const durationMs = changes.durationMs ?? 2_000;
  const stages = [{ fromPerSecond: perSecond, toPerSecond: perSecond, durationMs }];
  const slices: Slice[] = [];
  const played = await playPhase({
    origin,
    phase: {
      name: 'open',
      script: 'ping',
      warmUpMs: 1_000,
      timeoutMs: 5_000,
      processes: 1,
      ...changes,
      durationMs,
      load: { kind: 'open', users, spacing: 'even', stages, ...rest },
    },
    startSecond: 0,
    seed: 1,
    crowdFile: join(import.meta.dirname, '../ping-crowd.ts'),
    facts: { pong: 'pong' },
    users: Array.from({ length: users }, () => ({})),
    onSlices: (news) => slices.push(...news),
  });
  return { ...played, slices: mergeSlices(slices) };
}

const percentile = ({ slices }: Played, at: number, of: 'latency' | 'service' = 'latency'): number =>
  percentileMs(mergeHistograms(slices.map((slice) => slice[of] ?? '')), at) ?? Number.NaN;

test('sends what the schedule asks for, no more and no less, and counts it as the server does', async () => {
  const server = await start({ servers: 100, serviceMs: 5 });
  const played = await play(server.origin, { perSecond: 200 }, { processes: 2 });
  expect(played.lost).toEqual([]);
  expect(played.arrivals).toEqual({ due: 600, dropped: [] });
  expect(sumCounts(played.slices)).toMatchObject({ sent: 600, ok: 600 });
  expect(await server.received()).toBe(600);
});

test('counts from the moment meant: waiting for a user makes the answer slower, and not the service', async () => {
  // Two users can have 2 ÷ 0.1 s = 20 answers a second of the 24 that are due: half a second of them waits in the end.
  const server = await start({ servers: 100, serviceMs: 100 });
  const played = await play(server.origin, { perSecond: 24, users: 2 });
  expect(sumCounts(played.slices).ok).toBe(72);
  expect(percentile(played, 50, 'service')).toBeLessThan(150);
  expect(percentile(played, 100)).toBeGreaterThan(400);
  expect(percentileMs(decodeHistogram(played.sendLag), 100)).toBeGreaterThan(300);
});

test('drops what nobody was free to send within a second, and says how much and when', async () => {
  const server = await start({ servers: 100, serviceMs: 400 });
  const played = await play(server.origin, { perSecond: 50, users: 2 });
  const { due, dropped } = played.arrivals ?? { due: 0, dropped: [] };
  expect(due).toBe(150);
  expect(droppedCount({ due, dropped })).toBeGreaterThan(100);
  expect(sumCounts(played.slices).sent).toBe(due - droppedCount({ due, dropped }));
  for (const [second] of dropped) expect(second).toBeGreaterThanOrEqual(1);
});

test('a server that cannot keep up is seen by everybody who comes', async () => {
  const server = await start({ servers: 1, serviceMs: 5 });
  const overloaded = await play(server.origin, { perSecond: 250, users: 400 });
  // It does 200 a second: 50 a second too many for 3 s: the last waits 150 × 5 ms.
  expect(percentile(overloaded, 100)).toBeGreaterThan(600);
  expect(percentile(overloaded, 100)).toBeLessThan(1_500);
  expect(overloaded.arrivals?.dropped).toEqual([]);
});
