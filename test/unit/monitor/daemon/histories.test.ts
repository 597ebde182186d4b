import { describe, expect, test } from 'vitest';
import { playMany } from '#test/histories/campaign.ts';
import { slowest99 } from '#test/histories/judge.ts';

describe('over random histories of outages, channels, disk, clock, crashes, silences, planned work, reloads and objectives', () => {
  test(
    'nothing is lost, late, out of order, told where it is to be kept back, or told twice without a mark',
    { timeout: 120_000 },
    async () => {
      const { histories, decided, crashes, broken, delays } = await playMany({ from: 1, count: 40 });
      expect(broken).toEqual([]);
      expect(histories).toBe(40);
      // Else nothing was put to the test.
      expect(decided).toBeGreaterThan(200);
      expect(crashes).toBeGreaterThan(20);
      expect(slowest99(delays)).toBeLessThanOrEqual(5_000);
    },
  );
});
