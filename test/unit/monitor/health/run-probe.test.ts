import { describe, expect, test } from 'vitest';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { runProbe } from '#monitor/health/run-probe.ts';
import { systemClock } from '#monitor/model/look.ts';

describe('a look', () => {
  test('that takes too long has failed, and its signal fires', async () => {
    let isAborted = false;
    const result = await runProbe(
      (signal) => new Promise(() => signal.addEventListener('abort', () => (isAborted = true))),
      30,
      systemClock,
    );
    expect(result).toMatchObject({ outcome: 'failed', detail: 'no answer within 0.03 s' });
    expect(isAborted).toBe(true);
  });

  test('that the probe could not make is a fault of the monitor', async () => {
    const result = await runProbe(() => Promise.reject(new MonitorFaultError('no name service')), 1_000, systemClock);
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'no name service' });
  });

  test('that ended late because the machine stood still is no evidence against the target', async () => {
    let clockMs = 0;
    const clock = () => ({ at: 0, clockMs: (clockMs += 40_000) });
    const result = await runProbe(() => Promise.resolve({ outcome: 'failed', detail: 'no answer' }), 3_000, clock);
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'the monitor itself stood still for 40 s' });
  });

  test('shows no secret', async () => {
    const result = await runProbe(() => Promise.resolve({ outcome: 'failed', detail: 'at postgres://u:hunter2@db' }), 1_000, systemClock);
    expect(result.detail).not.toContain('hunter2');
  });
});
