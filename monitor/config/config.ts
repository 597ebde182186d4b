import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import { readEnv, type Environment } from '#lib/env.ts';
import { ConfigError, messageOf } from '#lib/errors.ts';
import type { Cadence } from '../health/detection-bound.ts';
import { configSchema, defaultConfigFile, type ConfigFile, type ProbeConfig } from './config-schema.ts';
import { monitorEnv, type MonitorEnv } from './monitor-env.ts';

/** One probe with everything filled in. */
export type ProbeSettings = {
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly cadence: Cadence;
  readonly check:
    | { readonly kind: 'postgres' }
    | (Pick<Extract<ProbeConfig, { kind: 'http' }>, 'kind' | 'conditions' | 'degradedUnless'> & { readonly url: URL });
};

/** Everything the monitor is told, read and checked whole. */
export type MonitorSettings = {
  readonly env: MonitorEnv;
  readonly probes: readonly ProbeSettings[];
  readonly delivery: { readonly firstDelayMs: number; readonly maxDelayMs: number };
  readonly backups: { readonly maxAgeMs: number; readonly settleMs: number };
};

/** @throws {ConfigError} with every problem of the environment, or every one of the file, at once. */
export async function readMonitorSettings(given: Environment): Promise<MonitorSettings> {
  const env = readEnv(monitorEnv, given);
  const problems = mailProblems(env);
  if (problems.length > 0) throw new ConfigError(problems);
  const file = env.MONITOR_CONFIG === undefined ? configSchema.parse(defaultConfigFile) : await readConfigFile(env.MONITOR_CONFIG);
  const where = env.MONITOR_CONFIG ?? 'the built-in configuration';
  const probes = file.probes.map((probe, index) => completeProbe(probe, `${where}: probes/${index}`, { file, env }));
  checkTogether(probes, where);
  return {
    env,
    probes,
    delivery: { firstDelayMs: file.delivery.firstRetry, maxDelayMs: file.delivery.longestRetry },
    backups: { maxAgeMs: file.backups.maxAge, settleMs: file.backups.settle },
  };
}

function mailProblems(env: MonitorEnv): string[] {
  if (env.SMTP_URL === undefined) return [];
  return [
    ...(env.ALERT_EMAIL_FROM === undefined ? ['ALERT_EMAIL_FROM is not set; it is required with SMTP_URL'] : []),
    ...(env.ALERT_EMAIL_TO?.length ? [] : ['ALERT_EMAIL_TO is not set; it is required with SMTP_URL']),
  ];
}

async function readConfigFile(path: string): Promise<ConfigFile> {
  // Loaded only where there is a file to read: a monitor at rest keeps its memory.
  const { parseDocument } = await import('yaml');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (err) {
    throw new ConfigError([`MONITOR_CONFIG=${path} cannot be read: ${messageOf(err)}`], { cause: err });
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) throw new ConfigError(document.errors.map((err) => `${path}: ${err.message.split('\n')[0]}`));
  const parsed = configSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${path}: ${describeIssue(issue)}`));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('/');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function completeProbe(probe: ProbeConfig, where: string, context: { readonly file: ConfigFile; readonly env: MonitorEnv }): ProbeSettings {
  const { defaults } = context.file;
  const cadence: Cadence = {
    intervalMs: probe.interval ?? defaults.interval,
    timeoutMs: probe.timeout ?? defaults.timeout,
    confirmIntervalMs: probe.confirmInterval ?? defaults.confirmInterval,
    failures: probe.failures ?? defaults.failures,
    successes: probe.successes ?? defaults.successes,
  };
  const { name, dependsOn } = probe;
  if (probe.kind === 'postgres') return { name, dependsOn, cadence, check: { kind: 'postgres' } };
  const url = URL.parse(probe.url, context.env.API_URL);
  if (!url || !/^https?:$/.test(url.protocol)) throw new ConfigError([`${where}/url: must be an http URL, or a path below API_URL`]);
  const { kind, conditions, degradedUnless } = probe;
  return { name, dependsOn, cadence, check: { kind, url, conditions, degradedUnless } };
}

function checkTogether(probes: readonly ProbeSettings[], where: string): void {
  const names = probes.map(({ name }) => name);
  const problems = names
    .filter((name, index) => names.indexOf(name) !== index || name === backupProbeName)
    .map((name) => `${where}: the name ${name} is ${name === backupProbeName ? 'taken by the backup job' : 'used twice'}`);
  for (const { name, dependsOn } of probes) {
    for (const parent of dependsOn.filter((other) => !names.includes(other))) {
      problems.push(`${where}: ${name} depends on ${parent}, which is not watched`);
    }
    if (problems.length === 0 && reaches(name, name, probes)) problems.push(`${where}: ${name} depends on itself`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Name of the probe over the catalogue of backups. */
export const backupProbeName = 'backups';

/** Whether following dependencies upward from `from` leads to `to`. Looks at each probe once. */
function reaches(from: string, to: string, probes: readonly ProbeSettings[]): boolean {
  const seen = new Set<string>();
  const queue = [...(probes.find(({ name }) => name === from)?.dependsOn ?? [])];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    queue.push(...(probes.find((probe) => probe.name === name)?.dependsOn ?? []));
  }
  return false;
}
