import type { BackupJob } from '../backup/job.ts';
import { backupProbeName, type MonitorSettings } from '../config/config.ts';
import type { Cadence } from '../health/detection-bound.ts';
import type { Target } from '../health/target.ts';
import { backupProbe } from '../backup/probe.ts';
import type { ResolveHost } from '../probes/probe.ts';

/** The catalogue changes once a day and is read from a local folder: one look is enough to judge it. */
const backupCadence: Cadence = { intervalMs: 60_000, timeoutMs: 10_000, confirmIntervalMs: 60_000, failures: 1, successes: 1 };

/** Everything that is watched: the configured probes, and the backups where the job is on. */
export function createTargets(settings: MonitorSettings, backupJob: BackupJob | undefined, resolveHost: ResolveHost): readonly Target[] {
  const targets = settings.probes.map(({ where: _where, create, ...target }): Target => ({ ...target, probe: create(resolveHost) }));
  if (!backupJob) return targets;
  const probe = backupProbe(backupJob.overview, { maxAgeMs: settings.backups.maxAgeMs, now: Date.now });
  const databases = settings.probes.filter(({ kind }) => kind === 'postgres').map(({ name }) => [name]);
  const backups = { name: backupProbeName, kind: 'backup', dependsOn: databases, degradedBy: [], cadence: backupCadence };
  return [...targets, { ...backups, patience: settings.patience, probe }];
}
