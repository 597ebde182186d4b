import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { hasRedis } from '#test/support/redis.ts';
import { playRound } from '#test/torture/round.ts';
import type { Fault } from '#test/torture/schedule.ts';
import { openStack } from '#test/torture/stack.ts';

/** The short form of the campaign: `npm run torture` is the long one. */
const faults: readonly Fault[] = [
  { atMs: 500, kind: 'commit-unheard', forMs: 0, dice: 0 },
  { atMs: 1_000, kind: 'worker-killed', forMs: 0, dice: 0 },
  { atMs: 2_000, kind: 'commit-unheard', forMs: 0, dice: 0 },
  { atMs: 2_500, kind: 'back-end-terminated', forMs: 0, dice: 0.5 },
  { atMs: 3_000, kind: 'redis-frozen', forMs: 500, dice: 0 },
  { atMs: 4_000, kind: 'database-cut', forMs: 0, dice: 0 },
];

test.skipIf(!hasRedis)(
  'nothing is lost, done twice or shown to another while a worker dies, the database is cut and Redis stands still',
  { timeout: 120_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-torture-'));
    const database = await createMigratedDatabase();
    const stack = await openStack({ dir, root: resolve('.'), database: database.settings, workers: 2 });
    try {
      const crowd = { buyers: 8, staff: 3, sessions: 1, leavers: 1, keepers: 2, changers: 1 };
      const { signal } = new AbortController();
      const result = await playRound(stack, { seed: 1, durationMs: 10_000, faults, crowd, signal, onProgress: () => {} });
      expect(result.violations).toEqual([]);
      expect(result.hits).toMatchObject({ 'worker-killed': 1, 'redis-frozen': 1, 'database-cut': 1 });
      expect(result.hits['commit-unheard']).toBeGreaterThan(0);
      expect(result.writes).toMatchObject({
        'order acknowledged': expect.any(Number),
        'cancel acknowledged': expect.any(Number),
        'append acknowledged': expect.any(Number),
        'make acknowledged': expect.any(Number),
        'change acknowledged': expect.any(Number),
        'remove acknowledged': expect.any(Number),
        'password acknowledged': expect.any(Number),
      });
    } finally {
      await stack.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
