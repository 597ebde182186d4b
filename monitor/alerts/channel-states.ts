import type { ChannelState } from '../model/alert.ts';
import type { Moment } from '../model/look.ts';
import type { MonitorStore } from '../store/store.ts';
import type { DeliveryLoop } from './deliver.ts';
import type { Outbox } from './outbox.ts';
import { brokenSince } from './pace.ts';

const dayMs = 86_400_000;

/** How every channel fares, as pages show it. @throws {StoreError} */
export function channelStates(
  loops: readonly Pick<DeliveryLoop, 'channel' | 'pace'>[],
  outbox: Pick<Outbox, 'pending'>,
  { store, now }: { readonly store: Pick<MonitorStore, 'channelTotals'>; readonly now: Moment },
): ChannelState[] {
  return loops.map(({ channel, pace }) => {
    const pending = outbox.pending(channel);
    const [oldest] = pending;
    return {
      channel,
      ...store.channelTotals(channel, now.at - dayMs),
      pending: pending.length,
      oldestPendingAt: oldest && Date.parse(oldest.alert.decidedAt),
      lastError: pace().lastError,
      brokenSince: brokenSince(pace(), now),
    };
  });
}
