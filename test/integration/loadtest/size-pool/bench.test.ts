import { expect, test } from 'vitest';
import { openBench } from '#loadtest/size-pool/bench.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';

test('the shop is measured with each size of its pool, the API started anew with it, and told whose the CPU was', async () => {
  const options = { env: { ...cleanEnvironment(), ...compiledOnce }, signal: AbortSignal.timeout(150_000), onStep: () => {} };
  const bench = await openBench({ ...options, users: 16, workers: 1, windowMs: 2_000, seed: 3 });
  try {
    const one = await bench.play({ size: 1, overflow: 0 });
    const many = await bench.play({ size: 4, overflow: 4 });
    for (const window of [one, many]) {
      expect(window.perSecond).toBeGreaterThan(0);
      expect(window.errorShare).toBe(0);
      expect(window.clientUse).toBeGreaterThan(0);
      expect(window.shortage.cpu?.api).toBeGreaterThan(0);
      expect(window.shortage.cpu?.database).toBeGreaterThan(0);
    }
    expect(many.setting).toEqual({ size: 4, overflow: 4 });
    // One worker with one connection cannot keep two busy.
    expect(one.shortage.active).toBeLessThanOrEqual(1);
  } finally {
    await bench.stop();
  }
}, 180_000);
