import type { BackupJob } from '../backup/job.ts';
import { backupProbeName, type MonitorSettings } from '../config/config.ts';
import type { Target } from '../health/target.ts';
import { backupProbe } from '../backup/probe.ts';
import type { Rotation } from '../logs/rotation.ts';
import type { Beats } from '../probes/beats.ts';
import type { ResolveHost } from '../probes/probe.ts';
import { sloProbe, type SloProbeDeps } from '../slo/slo-probe.ts';

export type TargetsDeps = {
  readonly backupJob: BackupJob | undefined;
  readonly resolveHost: ResolveHost;
  readonly beats: Beats;
  readonly slo: Omit<SloProbeDeps, 'token'>;
  readonly rotations: readonly NamedRotation[];
};

export type NamedRotation = Pick<Rotation, 'run' | 'probe'> & { readonly name: string };

/** Everything that is watched: the configured probes, the objectives, the rotated logs, and the backups where the job is on. */
export function createTargets(
  settings: MonitorSettings,
  { backupJob, resolveHost, beats, slo, rotations }: TargetsDeps,
): readonly Target[] {
  const targets = settings.probes.map(({ where: _where, create, ...target }): Target => ({
    ...target,
    probe: create({ resolveHost, beats }),
  }));
  const objectives = settings.objectives.map((objective) => objectiveTarget(settings, objective, slo));
  const logs = rotations.map((rotation) => rotationTarget(settings, rotation));
  return [...targets, ...objectives, ...logs, ...(backupJob ? [backupTarget(settings, backupJob)] : [])];
}

const minuteMs = 60_000;

/** The rules have looked at hours when they say that a budget burns, so one look is enough; to end it takes five good minutes. */
function objectiveTarget(
  { patience, env }: MonitorSettings,
  { dependsOn, ...objective }: MonitorSettings['objectives'][number],
  deps: Omit<SloProbeDeps, 'token'>,
): Target {
  return {
    name: objective.name,
    kind: 'objective',
    dependsOn,
    degradedBy: [],
    cadence: { intervalMs: minuteMs, timeoutMs: 5_000, confirmIntervalMs: minuteMs, failures: 1, successes: 5 },
    patience: { ...patience, slowMs: Infinity, warnAfterMs: 0, startGraceMs: 0 },
    probe: sloProbe(objective, { ...deps, token: env.METRICS_TOKEN }),
  };
}

function rotationTarget({ patience }: MonitorSettings, { name, probe }: NamedRotation): Target {
  return {
    name,
    kind: 'rotation',
    dependsOn: [],
    degradedBy: [],
    cadence: { intervalMs: minuteMs, timeoutMs: 10_000, confirmIntervalMs: minuteMs, failures: 1, successes: 1 },
    patience: { ...patience, startGraceMs: 0 },
    probe,
  };
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
