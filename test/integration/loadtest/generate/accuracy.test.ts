import { expect, onTestFinished, test } from 'vitest';
import { playOwn } from '#test/accuracy/clients.ts';
import { startKnownServer, type KnownServer } from '#test/accuracy/known-server.ts';

/** What a machine busy with other tests may add; a mistake of the generator shows as less than the truth, or as far more. */
const busyMs = 400;
const resolution = 0.001;

async function start(): Promise<KnownServer> {
  const server = await startKnownServer();
  onTestFinished(server.stop);
  return server;
}

const even = (perSecond: number, seconds: number) =>
  ({
    kind: 'open',
    users: 3 * perSecond,
    spacing: 'even',
    stages: [{ fromPerSecond: perSecond, toPerSecond: perSecond, durationMs: 1_000 * seconds }],
  }) as const;

test.for([
  { says: 'users who never pause', load: { kind: 'saturating', users: 10 } },
  { says: 'arrivals at a rate', load: even(100, 2) },
] as const)('$says: as many answers as the server gave, and no percentile below what it gave', async ({ load }) => {
  const server = await start();
  const said = await playOwn(`${server.origin}/mixture/one`, load, { seconds: 2, processes: 1 });
  const truth = await server.served('one');
  expect(said.errors).toBe(0);
  expect(said.requests).toBe(truth.requests);
  for (const at of ['p50Ms', 'p95Ms', 'p99Ms', 'maxMs'] as const) {
    const [saidMs, trueMs] = [said[at] ?? Number.NaN, truth[at] ?? Number.NaN];
    expect(saidMs).toBeGreaterThanOrEqual((1 - resolution) * trueMs);
    expect(saidMs).toBeLessThan((1 + resolution) * trueMs + busyMs);
  }
});

test('a server that stands still for two seconds of six is seen by everybody who would have come meanwhile', async () => {
  const server = await start();
  const said = await playOwn(`${server.origin}/stall/one`, even(50, 6), { seconds: 6, processes: 1 });
  expect(said.requests).toBe(300);
  // A third of them waits, from two seconds down to nothing.
  expect(said.p50Ms).toBeLessThan(10 + busyMs);
  expect(said.p95Ms).toBeGreaterThan(1_690);
  expect(said.p99Ms).toBeGreaterThan(1_930);
  expect(said.maxMs).toBeLessThan(2_020 + busyMs);
});
