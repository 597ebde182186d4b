import type { DeliveryLoop } from '../../alerts/deliver.ts';
import type { Outbox } from '../../alerts/outbox.ts';
import type { SelfAlerts } from '../../alerts/self-alerts.ts';
import { judgeParts } from '../../alerts/judge-parts.ts';
import type { Duty } from './duty.ts';

export type SelfCheckDeps = {
  readonly outbox: Pick<Outbox, 'storeFault'>;
  readonly settingsFault: () => string | undefined;
  readonly loops: readonly Pick<DeliveryLoop, 'channel' | 'pace'>[];
  readonly selfAlerts: SelfAlerts;
};

/** Tells when the store, the settings or a channel go wrong, and when it is well again. */
export function selfCheckDuty({ outbox, settingsFault, loops, selfAlerts }: SelfCheckDeps): Duty {
  return {
    name: 'self-check',
    isDue: () => true,
    run: (now) => {
      const channels = loops.map(({ channel, pace }) => ({ name: channel, pace: pace() }));
      selfAlerts.update(judgeParts({ channels, storeFault: outbox.storeFault(), settingsFault: settingsFault() }, now));
    },
  };
}
