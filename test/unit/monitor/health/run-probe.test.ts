import { describe, expect, test } from 'vitest';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { runProbe } from '#monitor/health/run-probe.ts';
import { systemClock } from '#monitor/model/look.ts';

const usual = { timeoutMs: 1_000, slowMs: 1_000 };

describe('a look', () => {
  test('that takes too long has failed, and its signal fires', async () => {
    let isAborted = false;
    const result = await runProbe(
      (signal) => new Promise(() => signal.addEventListener('abort', () => (isAborted = true))),
      { timeoutMs: 30, slowMs: 30 },
      systemClock,
    );
    expect(result).toMatchObject({ outcome: 'failed', detail: 'no answer within 0.03 s' });
    expect(isAborted).toBe(true);
  });

  test('that the probe could not make is a fault of the monitor', async () => {
    const result = await runProbe(() => Promise.reject(new MonitorFaultError('no name service')), usual, systemClock);
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'no name service' });
  });

  test('that ended late because the machine stood still is no evidence against the target', async () => {
    let clockMs = 0;
    const clock = () => ({ at: 0, clockMs: (clockMs += 40_000) });
    const result = await runProbe(
      () => Promise.resolve({ outcome: 'failed', detail: 'no answer' }),
      { timeoutMs: 3_000, slowMs: 1_000 },
      clock,
    );
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'the monitor itself stood still for 40 s' });
  });

  test.each([
    ['ok', 2_500, 'degraded', 'HTTP 200; it took 2.5 s, more than 1 s'],
    ['ok', 1_000, 'ok', 'HTTP 200'],
    ['failed', 2_500, 'failed', 'HTTP 200'],
  ] as const)('that is %s after %i ms is %s', async (outcome, tookMs, judged, detail) => {
    const clocks = [0, tookMs];
    const clock = () => ({ at: 0, clockMs: clocks.shift() ?? 0 });
    const result = await runProbe(() => Promise.resolve({ outcome, detail: 'HTTP 200' }), { timeoutMs: 3_000, slowMs: 1_000 }, clock);
    expect(result).toMatchObject({ outcome: judged, detail });
  });

  test('shows no secret', async () => {
    const result = await runProbe(
      () =>
        Promise.resolve({
          outcome: 'failed',
          cause: { code: 'isUnwell', who: 'api', said: 'token=hunter4' },
          detail: 'at postgres://u:hunter2@db',
          facts: [['Says of itself', 'token=hunter3']],
        }),
      usual,
      systemClock,
    );
    expect(JSON.stringify(result)).not.toMatch(/hunter/);
  });
});
