import { describe, expect, test } from 'vitest';
import { dailyBackupDuty } from '#monitor/daemon/duties/daily-backup.ts';
import type { TargetSnapshot } from '#monitor/health/watch.ts';
import type { HealthStatus } from '#monitor/model/look.ts';

const runIfDue = () => Promise.resolve(undefined);

function dutyBeside(targets: readonly (readonly [kind: string, status: HealthStatus])[]) {
  const snapshot = () => targets.map(([kind, status]) => ({ kind, status }) as TargetSnapshot);
  return dailyBackupDuty({ runIfDue }, { snapshot }, 60_000);
}

describe('the daily backup', () => {
  test.each([
    ['up', true],
    ['degraded', true],
    // A dump would only fail, and count as an attempt.
    ['down', false],
    ['unknown', false],
  ] as const)('with a database that is %s is asked for: %s', (status, isDue) => {
    expect(
      dutyBeside([
        ['http', 'down'],
        ['postgres', status],
      ]).isDue({ at: 0, clockMs: 60_000 }),
    ).toBe(isDue);
  });

  test('waits for the time to settle after a start', () => {
    const duty = dutyBeside([['postgres', 'up']]);
    expect([59_999, 60_000].map((clockMs) => duty.isDue({ at: 0, clockMs }))).toEqual([false, true]);
  });
});
