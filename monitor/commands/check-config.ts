import type { Environment } from '#lib/env.ts';
import { createChannels } from '../alerts/channels/kinds.ts';
import { readMonitorSettings } from '../config/config.ts';
import { detectionBoundMs } from '../health/detection-bound.ts';

/** The configuration as it would be used, without secrets. */
export type ConfigReport = {
  readonly source: string;
  readonly targets: readonly {
    readonly name: string;
    readonly kind: string;
    readonly depends_on: readonly string[];
    readonly detection_bound_ms: number;
    readonly where: string;
  }[];
  readonly objectives: readonly { readonly name: string; readonly objective: number; readonly metrics: readonly string[] }[];
  readonly rotation: readonly { readonly name: string; readonly dir: string; readonly keep: number }[];
  readonly actions: readonly { readonly target: string; readonly admin: string; readonly mode: string }[];
  readonly maintenance: readonly string[];
  readonly channels: readonly string[];
  readonly backups: { readonly enabled: boolean; readonly dir: string };
  readonly warnings: readonly string[];
};

/** Reads and checks everything. @throws {ConfigError} */
export async function checkConfig(env: Environment): Promise<ConfigReport> {
  const settings = await readMonitorSettings(env);
  const channels = createChannels(settings.env, settings.sender).map(({ name }) => name);
  const cadences = new Map(settings.probes.map(({ name, cadence }) => [name, cadence]));
  return {
    source: settings.env.MONITOR_CONFIG ?? 'built in',
    targets: settings.probes.map(({ name, kind, dependsOn, cadence, where }) => ({
      name,
      kind,
      depends_on: dependsOn.flat(),
      detection_bound_ms: detectionBoundMs(
        cadence,
        dependsOn.flat().flatMap((parent) => cadences.get(parent) ?? []),
      ),
      where,
    })),
    objectives: settings.objectives.map(({ name, objective, sources }) => ({ name, objective, metrics: sources.map(({ href }) => href) })),
    rotation: settings.rotation.map(({ name, dir, keep }) => ({ name, dir, keep })),
    actions: settings.actions.map(({ target, admin, mode }) => ({ target, admin: admin.href, mode })),
    maintenance: settings.maintenance.map(({ name }) => name),
    channels,
    backups: { enabled: settings.env.BACKUP_ENABLED, dir: settings.env.BACKUP_DIR },
    warnings: [
      ...(channels.length === 0 ? ['no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL'] : []),
      ...settings.warnings,
    ],
  };
}

export function describeConfig(report: ConfigReport): string {
  const targets = report.targets.map(({ name, kind, where, depends_on: parents, detection_bound_ms: boundMs }) =>
    [
      `  ${name}: ${kind}`,
      where,
      `alert within ${boundMs / 1000} s`,
      ...(parents.length > 0 ? [`depends on ${parents.join(', ')}`] : []),
    ].join(', '),
  );
  return [
    `configuration: ${report.source}`,
    'watches',
    ...targets,
    ...report.objectives.map(
      ({ name, objective, metrics }) => `  ${name}: ${Number((objective * 100).toFixed(3))} % good of ${metrics.join(', ')}`,
    ),
    ...report.rotation.map(({ name, dir, keep }) => `  ${name}: logs in ${dir}, ${keep} kept of each`),
    ...report.actions.map(
      ({ target, admin, mode }) => `restarts ${target} by ${admin} when it hangs${mode === 'act' ? '' : ' (a dry run)'}`,
    ),
    ...(report.maintenance.length > 0 ? [`planned work: ${report.maintenance.join(', ')}`] : []),
    `tells: ${report.channels.join(', ') || 'nobody'}`,
    `backups: ${report.backups.enabled ? report.backups.dir : 'off'}`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
    'the configuration is valid',
  ].join('\n');
}
