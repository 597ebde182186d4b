import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readMonitorSettings, type MonitorSettings } from '../config/config.ts';
import type { Environment } from '#lib/env.ts';
import { alertmanagerConfig } from './alertmanager.ts';
import { alertRules } from './rules.ts';

export type Exported = {
  /** Name of each file → its content. */
  readonly files: Readonly<Record<string, string>>;
  /** What Prometheus and Alertmanager cannot express, one line each. */
  readonly missing: readonly string[];
};

/** The configuration as files of Prometheus and Alertmanager, without a secret: those stay in files they name. @throws {ConfigError} */
export async function exportPrometheus(env: Environment): Promise<Exported> {
  const settings = await readMonitorSettings(env);
  const { config, missing } = alertmanagerConfig(settings);
  const files = {
    'prometheus.yml': scrapeConfig(settings),
    'atalaya-rules.yml': { groups: alertRules(settings) },
    'alertmanager.yml': config,
  };
  return {
    files: Object.fromEntries(Object.entries(files).map(([name, content]) => [name, stringify(content, { aliasDuplicateObjects: false })])),
    missing,
  };
}

/** Writes them; what is there under the same names is replaced. */
export function writeExported({ files }: Exported, dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
}

function scrapeConfig({ env, objectives, sender }: MonitorSettings): object {
  const sources = [...new Set(objectives.flatMap((objective) => objective.sources.map(({ href }) => href)))].map((href) => new URL(href));
  const paths = [...new Set(sources.map(({ pathname }) => pathname))];
  const monitor = new URL(sender.statusUrl);
  return {
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    rule_files: ['atalaya-rules.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['alertmanager:9093'] }] }] },
    scrape_configs: [
      {
        job_name: 'atalaya-monitor',
        scheme: monitor.protocol.slice(0, -1),
        ...(env.MONITOR_PASSWORD === undefined ? {} : { authorization: { credentials_file: 'secrets/monitor_password' } }),
        static_configs: [{ targets: [monitor.host] }],
      },
      ...paths.map((path, index) => ({
        job_name: index === 0 ? 'atalaya-api' : `atalaya-api-${index + 1}`,
        metrics_path: path,
        ...(env.METRICS_TOKEN === undefined ? {} : { authorization: { credentials_file: 'secrets/metrics_token' } }),
        static_configs: [{ targets: sources.filter(({ pathname }) => pathname === path).map(({ host }) => host) }],
      })),
    ],
  };
}
