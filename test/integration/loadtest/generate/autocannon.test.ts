import { createServer } from 'node:http';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { expect, test } from 'vitest';
import { playPhase } from '#loadtest/generate/play-phase.ts';
import { mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { sumCounts } from '#loadtest/measurement/merge.ts';
import type { Slice } from '#loadtest/measurement/measurement.ts';
import { listen } from '#test/support/listen.ts';

const delayMs = 50;
const connections = 8;
const seconds = 2;

/** Answers after a fixed time and counts. */
async function startServer(): Promise<{ origin: string; count: () => number }> {
  let count = 0;
  const server = createServer((_request, response) => {
    count += 1;
    setTimeout(() => response.end('pong'), delayMs);
  });
  return { origin: `http://127.0.0.1:${await listen(server)}`, count: () => count };
}

// autocannon is not the engine, but a second opinion: another client, written by others, of the same server.
test('users who never pause see what autocannon sees: the same latency, as many requests as the server counts', async () => {
  const [ours, theirs] = [await startServer(), await startServer()];
  const slices: Slice[] = [];
  const phase = { name: 'x', script: 'ping', warmUpMs: 0, durationMs: 1_000 * seconds, timeoutMs: 5_000, processes: 1 };
  const [cannon] = await Promise.all([
    autocannon({ url: theirs.origin, connections, duration: seconds }),
    playPhase({
      origin: ours.origin,
      phase: { ...phase, load: { kind: 'saturating', users: connections } },
      startSecond: 0,
      seed: 1,
      crowdFile: join(import.meta.dirname, '../ping-crowd.ts'),
      facts: { pong: 'pong' },
      users: Array.from({ length: connections }, () => ({})),
      onSlices: (news) => slices.push(...news),
    }),
  ]);
  const counts = sumCounts(slices);
  const p50Ms = percentileMs(mergeHistograms(slices.map(({ latency }) => latency)), 50) ?? Number.NaN;
  expect(counts.ok).toBe(counts.sent);
  expect(counts.sent).toBe(ours.count());
  // Both lasted as long on the same machine: neither may be faster than the server, nor twice as slow as the other.
  expect(Math.min(p50Ms, cannon.latency.p50)).toBeGreaterThanOrEqual(delayMs - 1);
  expect(p50Ms / cannon.latency.p50).toBeGreaterThan(0.5);
  expect(p50Ms / cannon.latency.p50).toBeLessThan(2);
});
