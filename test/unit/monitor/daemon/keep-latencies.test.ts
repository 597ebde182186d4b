import { expect, test } from 'vitest';
import { createLatencyKeeper, keepLatenciesDuty } from '#monitor/daemon/duties/keep-latencies.ts';
import { latencyPoint, type MinuteOfLatency } from '#monitor/model/latency.ts';

const signal = new AbortController().signal;
const look = (at: number, latencyMs: number, outcome: 'ok' | 'degraded' | 'failed' | 'faulty' = 'ok') => ({ at, latencyMs, outcome });
const shown = (minutes: readonly MinuteOfLatency[]) =>
  minutes.map(({ probe, at, sketch }) => [probe, at, latencyPoint(at, sketch).looks, sketch.longestMs]);

test('what was answered counts, slow or not; what failed, and what nobody could tell, has no latency', () => {
  const added: MinuteOfLatency[] = [];
  const keeper = createLatencyKeeper({ add: (minutes) => void added.push(...minutes) });
  keeper.saw('api', look(60_001, 12));
  keeper.saw('api', look(65_000, 2_500, 'degraded'));
  keeper.saw('api', look(70_000, 3_000, 'failed'));
  keeper.saw('api', look(75_000, 4_000, 'faulty'));
  keeper.keep();
  expect(shown(added)).toEqual([['api', 60_000, 2, 2_500]]);
});

test('minutes are handed over once they are whole, each once, and stay while the store takes nothing', () => {
  const added: MinuteOfLatency[] = [];
  let isBroken = true;
  const keeper = createLatencyKeeper({
    add: (minutes) => {
      if (isBroken) throw new Error('full');
      added.push(...minutes);
    },
  });
  const duty = keepLatenciesDuty(keeper);
  for (const at of [0, 59_999, 60_000]) keeper.saw('api', look(at, at / 1_000));
  expect(() => duty.run({ at: 60_000, clockMs: 0 }, signal)).toThrow('full');
  isBroken = false;
  void duty.run({ at: 60_000, clockMs: 0 }, signal);
  void duty.run({ at: 119_999, clockMs: 0 }, signal);
  expect(shown(added)).toEqual([['api', 0, 2, 59.999]]);
  void duty.run({ at: 120_000, clockMs: 0 }, signal);
  expect(shown(added)).toEqual([
    ['api', 0, 2, 59.999],
    ['api', 60_000, 1, 60],
  ]);
});
