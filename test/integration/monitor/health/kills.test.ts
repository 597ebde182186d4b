import { describe, expect, test } from 'vitest';
import { createRandom } from '#loadtest/generate/random.ts';
import { watchOne, type How } from '#test/kills/campaign.ts';

const cadence = { interval: '800ms', timeout: '1s', confirmInterval: '200ms', failures: 3, successes: 2, startGrace: '0s' };

describe('an outage that begins at any moment', () => {
  test.each(['SIGKILL', 'SIGSTOP'] satisfies How[])(
    'by %s is told within the bound that the page states, once, and so is its end',
    { timeout: 150_000 },
    async (how) => {
      const { boundMs, outages, surplus } = await watchOne({
        how,
        outages: 3,
        random: createRandom(7, 0),
        cadence,
        longestPauseMs: 1_000,
        onOutage: () => {},
      });
      expect(boundMs).toBe(5_400);
      for (const { toldMs, resolvedMs } of outages) {
        expect(toldMs).toBeLessThanOrEqual(boundMs);
        expect(resolvedMs).toBeDefined();
      }
      expect(outages).toHaveLength(3);
      expect(surplus).toEqual([]);
    },
  );
});
