import { periodMs } from '../../slo/burn.ts';
import type { MonitorStore } from '../../store/store.ts';
import type { Duty } from './duty.ts';

const dayMs = 86_400_000;
/** Long enough to compare a month with the same of last year. */
const historyKeptMs = 400 * dayMs;

/** Once a day, and at the start, forgets what ended more than 400 days ago, and answers that no budget counts any more. */
export function expireHistoryDuty(store: Pick<MonitorStore, 'expire' | 'slo' | 'latencies'>): Duty {
  let doneMs = -Infinity;
  return {
    name: 'expire history',
    isDue: ({ clockMs }) => clockMs - doneMs >= dayMs,
    run: ({ at, clockMs }) => {
      store.expire(at - historyKeptMs);
      store.slo.forget(at - periodMs);
      store.latencies.forget(at);
      doneMs = clockMs;
    },
  };
}
