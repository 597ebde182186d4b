import { uptime } from 'node:os';
import { askToDrain, createRestarter } from '../../action/restarter.ts';
import type { MonitorSettings } from '../../config/config.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Watch } from '../../health/watch.ts';
import type { House } from '../house.ts';
import type { Duty } from './duty.ts';

/**
 * Restarts what hangs; whether something does is decided each second from its looks.
 * @throws {StoreError} when the restarts of an earlier process cannot be read
 */
export function restartHangingDuty(
  { store, outbox, selfAlerts, clock, logger }: House,
  { actions, env }: Pick<MonitorSettings, 'actions' | 'env'>,
  { watch, evidence }: { readonly watch: Pick<Watch, 'snapshot' | 'isDown'>; readonly evidence: Pick<Evidence, 'take'> },
): Duty {
  const restarter = createRestarter(actions, {
    snapshot: watch.snapshot,
    isDown: watch.isDown,
    jobRuns: store.jobRuns,
    keep: (entry) => outbox.commit({ health: [], incidents: [], alerts: [], timeline: [entry] }),
    tell: selfAlerts.notice,
    evidence: evidence.take,
    drain: askToDrain(env.ADMIN_TOKEN),
    clock,
    machineUpMs: () => uptime() * 1_000,
    logger,
  });
  return { name: 'restart what hangs', isDue: () => true, run: (_now, signal) => restarter.run(signal) };
}
