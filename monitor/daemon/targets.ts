import type { BackupJob } from '../backup/job.ts';
import { backupProbeName, type MonitorSettings } from '../config/config.ts';
import type { Target } from '../health/target.ts';
import { backupProbe } from '../backup/probe.ts';
import type { ResolveHost } from '../probes/probe.ts';

/** Everything that is watched: the configured probes, and the backups where the job is on. */
export function createTargets(settings: MonitorSettings, backupJob: BackupJob | undefined, resolveHost: ResolveHost): readonly Target[] {
  const targets = settings.probes.map(({ where: _where, create, ...target }): Target => ({ ...target, probe: create(resolveHost) }));
  return backupJob ? [...targets, backupTarget(settings, backupJob)] : targets;
}

function backupTarget({ backups, patience, probes }: MonitorSettings, backupJob: BackupJob): Target {
  const { intervalMs, maxAgeMs } = backups;
  return {
    name: backupProbeName,
    kind: 'backup',
    dependsOn: probes.filter(({ kind }) => kind === 'postgres').map(({ name }) => [name]),
    degradedBy: [],
    // The catalogue is read from a local folder: one look is enough to judge it.
    cadence: { intervalMs, timeoutMs: 10_000, confirmIntervalMs: intervalMs, failures: 1, successes: 1 },
    patience: { ...patience, startGraceMs: 0 },
    probe: backupProbe(backupJob.overview, { maxAgeMs, now: Date.now }),
  };
}
