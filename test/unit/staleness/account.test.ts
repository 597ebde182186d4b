import { describe, expect, it } from 'vitest';
import { addUp, tellAll, type Played } from '#test/staleness/account.ts';
import type { Tally } from '#test/staleness/campaign.ts';
import { kinds } from '#test/staleness/things.ts';

const tallyOf = (reads: number, stale: number): Tally => ({
  reads,
  shown: reads * 2,
  stale,
  writes: 3,
  failed: 4,
  kills: 5,
  freezes: 6,
  holds: 7,
  of: Object.fromEntries(kinds.map((kind, index) => [kind, { reads: reads + index, writes: index, stale }])) as Tally['of'],
  witnesses: Array.from({ length: stale }, (_, index) => `GET /api/v1/products/${index}: products ${index} at version 1`),
});

const played = (seed: number, tally: Tally): Played => ({ commit: `c${seed}`, seed, instances: 2, workers: 4, tookMs: 60_000, tally });

describe('what campaigns of staleness came to', () => {
  it('adds up all that was counted, for each resource too', () => {
    const total = addUp([tallyOf(100, 0), tallyOf(50, 2)]);
    expect(total).toMatchObject({ reads: 150, shown: 300, stale: 2, writes: 6, failed: 8, kills: 10, freezes: 12, holds: 14 });
    kinds.forEach((kind, index) => expect(total.of[kind]).toEqual({ reads: 150 + 2 * index, writes: 2 * index, stale: 2 }));
    expect(total.witnesses).toHaveLength(2);
  });

  it('names each run with its commit, and every stale answer that was written down', () => {
    const text = tellAll([played(1, tallyOf(1_000, 0)), played(2, tallyOf(50, 1))]);
    expect(text).toContain('1 stale of 1,050 reads (2,100 things shown)');
    expect(text).toContain('2 instances of 4 workers, 2 m; seed 1 1,000 on c1, seed 2 50 on c2.');
    expect(text).toMatch(/^\| products +\| 1,052 +\| 2 +\| 1 +\|$/m);
    expect(text).toContain('- GET /api/v1/products/0: products 0 at version 1');
  });
});
