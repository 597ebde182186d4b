import { showDuration } from '#lib/show.ts';
import type { SelfAlerts } from '../../alerts/self-alerts.ts';
import type { Duty } from './duty.ts';

/** The tick comes every second; so late it comes only when the whole process stood still. */
const standstillMs = 30_000;

/** Tells when nobody has watched for a while, because the process was suspended or its machine was. */
export function noticeStandstillDuty(selfAlerts: Pick<SelfAlerts, 'notice'>): Duty {
  let lastMs: number | undefined;
  return {
    name: 'notice standstill',
    isDue: () => true,
    run: ({ clockMs }) => {
      const stoodMs = clockMs - (lastMs ?? clockMs);
      lastMs = clockMs;
      if (stoodMs < standstillMs) return;
      selfAlerts.notice({
        part: 'standstill',
        detail: `the monitor stood still for ${showDuration(stoodMs)}; nobody watched in that time`,
        nextStep: { code: 'whyItStoodStill' },
      });
    },
  };
}
