import { hostname } from 'node:os';
import { readEnv, type Environment } from '#lib/env.ts';
import { ConfigError } from '#lib/errors.ts';
import { localOrigin } from '#lib/listen.ts';
import { channelProblems } from '../alerts/channels/kinds.ts';
import type { Sender } from '../alerts/message-text.ts';
import type { FlapRules } from '../health/flap.ts';
import type { Patience, Target } from '../health/target.ts';
import { probeKinds } from '../probes/kinds.ts';
import type { Probe, ProbeContext } from '../probes/probe.ts';
import type { Maintenance } from '../quiet/maintenance.ts';
import { readConfigFile, type ConfigSource } from './config-file.ts';
import { builtInConfig, configSchema, type ConfigFile, type ProbeConfig } from './config-schema.ts';
import { misspeltVariables } from './misspelt.ts';
import { monitorEnv, type MonitorEnv } from './monitor-env.ts';

/** One probe with everything filled in. */
export type ProbeSettings = Omit<Target, 'probe'> & {
  /** Where it looks, for people; holds no secret. */
  readonly where: string;
  readonly create: (context: Pick<ProbeContext, 'resolveHost' | 'beats'>) => Probe;
};

/** Everything the monitor is told, read and checked whole. */
export type MonitorSettings = {
  readonly env: MonitorEnv;
  /** Undefined: no file, the built-in configuration. */
  readonly source: ConfigSource | undefined;
  readonly probes: readonly ProbeSettings[];
  readonly flap: FlapRules | undefined;
  readonly maintenance: readonly Maintenance[];
  readonly objectives: ConfigFile['objectives'];
  readonly rotation: ConfigFile['rotation'];
  readonly actions: ConfigFile['actions'];
  /** Of what is no probe of the file. */
  readonly patience: Patience;
  readonly delivery: { readonly firstDelayMs: number; readonly maxDelayMs: number };
  readonly backups: { readonly maxAgeMs: number; readonly intervalMs: number; readonly settleMs: number };
  /** How messages name this monitor. */
  readonly sender: Sender;
  /** What is allowed but surely not meant, one line each. */
  readonly warnings: readonly string[];
};

/** Name of the probe over the catalogue of backups. */
export const backupProbeName = 'backups';

/** @throws {ConfigError} with every problem of the environment and of the file at once. */
export async function readMonitorSettings(given: Environment): Promise<MonitorSettings> {
  const problems: string[] = [];
  const note = (err: unknown): undefined => {
    if (!(err instanceof ConfigError)) throw err;
    problems.push(...err.problems);
  };
  const env = await readCheckedEnv(given).catch(note);
  const path = env ? env.MONITOR_CONFIG : given['MONITOR_CONFIG'] || undefined;
  const found = path === undefined ? undefined : await readConfigFile(path, given).catch(note);
  const file = path === undefined ? configSchema.parse(builtInConfig(env?.REDIS_ENABLED, env?.LOG_DIR)) : found?.file;
  if (file) problems.push(...problemsTogether(file).map((problem) => `${path ?? 'the built-in configuration'}: ${problem}`));
  if (env && env.ADMIN_TOKEN === undefined && file?.actions.some(({ mode }) => mode === 'act')) {
    problems.push('ADMIN_TOKEN is not set: it opens the drain of an API, which actions with mode: act need');
  }
  if (!env || !file || problems.length > 0) throw new ConfigError(problems);
  return {
    env,
    source: found?.source,
    probes: file.probes.map((probe) => completeProbe(probe, file.defaults, env)),
    flap: file.flapping && { turns: file.flapping.turns, windowMs: file.flapping.window, settleMs: file.flapping.settle },
    maintenance: file.maintenance,
    objectives: file.objectives,
    rotation: file.rotation,
    actions: file.actions,
    patience: patienceOf(file.defaults),
    delivery: { firstDelayMs: file.delivery.firstRetry, maxDelayMs: file.delivery.longestRetry },
    backups: { maxAgeMs: file.backups.maxAge, intervalMs: file.backups.interval, settleMs: file.backups.settle },
    sender: {
      deployment: env.DEPLOYMENT_NAME,
      language: file.delivery.language,
      host: hostname(),
      statusUrl: env.MONITOR_URL ?? localOrigin(env.MONITOR_HOST, env.MONITOR_PORT),
    },
    warnings: misspeltVariables(given, Object.keys(monitorEnv)),
  };
}

async function readCheckedEnv(given: Environment): Promise<MonitorEnv> {
  const env = readEnv(monitorEnv, given);
  const problems = channelProblems(env);
  if (problems.length > 0) throw new ConfigError(problems);
  return env;
}

function completeProbe(probe: ProbeConfig, defaults: ConfigFile['defaults'], env: MonitorEnv): ProbeSettings {
  const made = probeKinds.find(({ kind }) => kind === probe.kind);
  if (!made) throw new Error(`no kind of probe is named ${probe.kind}`);
  const rhythm = { ...defaults, ...probe } as ConfigFile['defaults'];
  return {
    name: probe.name,
    kind: probe.kind,
    dependsOn: probe.dependsOn,
    degradedBy: probe.degradedBy,
    isLatencyPublic: probe.publicLatency,
    cadence: {
      intervalMs: rhythm.interval,
      timeoutMs: rhythm.timeout,
      confirmIntervalMs: rhythm.confirmInterval,
      failures: rhythm.failures,
      successes: rhythm.successes,
    },
    patience: patienceOf(rhythm),
    where: made.describe(probe, env),
    create: (context) => made.create(probe, { ...context, env, timeoutMs: rhythm.timeout }),
  };
}

const patienceOf = ({ slow, unknownAfter, warnAfter, remindAfter, startGrace }: ConfigFile['defaults']): Patience => ({
  slowMs: slow,
  unknownAfterMs: unknownAfter,
  warnAfterMs: warnAfter,
  remindAfterMs: remindAfter,
  startGraceMs: startGrace,
});

/** What is wrong with the file as a whole. Pure. */
function problemsTogether({ probes, maintenance, objectives, rotation, actions }: ConfigFile): string[] {
  const probeNames = probes.map(({ name }) => name);
  const names = [...probeNames, ...[...objectives, ...rotation].map(({ name }) => name)];
  const problems = names
    .filter((name, index) => names.indexOf(name) !== index || name === backupProbeName)
    .map((name) => (name === backupProbeName ? `the name ${name} is taken by the backup job` : `the name ${name} is used twice`));
  for (const { name, dependsOn, degradedBy } of probes) {
    const missing = [...dependsOn.flat(), ...degradedBy].filter((other) => !probeNames.includes(other));
    problems.push(...missing.map((parent) => `${name} depends on ${parent}, which is not watched`));
    if (reaches(name, name, probes)) problems.push(`${name} depends on itself`);
  }
  for (const { name, dependsOn } of objectives) {
    const missing = dependsOn.flat().filter((other) => !probeNames.includes(other));
    problems.push(...missing.map((parent) => `${name} depends on ${parent}, which is not watched`));
  }
  for (const { target } of actions) {
    if (probes.find(({ name }) => name === target)?.kind !== 'http')
      problems.push(`an action is of ${target}, which is no probe of kind http`);
    if (actions.filter((other) => other.target === target).length > 1) problems.push(`there are two actions of ${target}`);
  }
  const planned = maintenance.map(({ name }) => name);
  problems.push(
    ...planned.filter((name, index) => planned.indexOf(name) !== index).map((name) => `maintenance ${name} stands there twice`),
  );
  for (const { name, targets = [] } of maintenance) {
    const missing = targets.filter((target) => !names.includes(target) && target !== backupProbeName);
    problems.push(...missing.map((target) => `maintenance ${name} is of ${target}, which is not watched`));
  }
  return problems;
}

/** Whether following dependencies upward from `from` leads to `to`. Looks at each probe once. */
function reaches(from: string, to: string, probes: readonly ProbeConfig[]): boolean {
  const parentsOf = (name: string): readonly string[] => {
    const probe = probes.find((each) => each.name === name);
    return probe ? [...probe.dependsOn.flat(), ...probe.degradedBy] : [];
  };
  const seen = new Set<string>();
  const queue = [...parentsOf(from)];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    queue.push(...parentsOf(name));
  }
  return false;
}
