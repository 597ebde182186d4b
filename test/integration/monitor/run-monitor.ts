import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { StatusView } from '#monitor/status-page/status-view.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';
import { freePort } from '#test/support/free-port.ts';
import { asOperator, operatorPassword } from '#test/support/operator.ts';

/** Looks often, so that tests are quick; the timeout is long, so that a busy machine makes no outage up. */
export const quickCadence = { interval: '100ms', timeout: '5s', confirmInterval: '50ms', failures: 2, successes: 2, startGrace: '0s' };

export type MonitorPlan = {
  /** Folder of store and configuration, the same over restarts. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** What MONITOR_CONFIG holds. */
  readonly config: unknown;
};

export type RunningMonitor = {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  /** Resolves with exit code or signal. */
  readonly ended: Promise<number | string>;
  /** Waits for a status that satisfies the condition. @throws after `timeoutMs`, showing the last one */
  readonly untilStatus: (condition: (view: StatusView) => boolean, timeoutMs?: number) => Promise<StatusView>;
  /** SIGTERM, and waits for the end. */
  readonly stop: () => Promise<number | string>;
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<void>;
};

/** A plan that watches one API by HTTP only, and tells the channels given. */
export function planFor(dir: string, env: Readonly<Record<string, string>>, config: object = {}): MonitorPlan {
  return {
    dir,
    env: { ALERT_EMAIL_FROM: 'Atalaya <monitor@shop.example>', ALERT_EMAIL_TO: 'ops@shop.example', ...env },
    config: {
      defaults: quickCadence,
      probes: [{ name: 'api', kind: 'http', url: '/health_check' }],
      delivery: { firstRetry: '50ms', longestRetry: '200ms' },
      // Outages of a test follow each other quickly.
      flapping: 'off',
      ...config,
    },
  };
}

/** Starts the daemon in a process of its own. */
export async function startMonitor(
  plan: MonitorPlan,
  failPoint: { readonly point?: string; readonly hit?: number } = {},
): Promise<RunningMonitor> {
  const port = await freePort();
  const configFile = join(plan.dir, 'monitor.yaml');
  writeFileSync(configFile, stringify(plan.config));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'alerts/daemon-with-fail-point.ts')], {
    env: {
      ...cleanEnvironment(),
      ...compiledOnce,
      BACKUP_ENABLED: 'false',
      MONITOR_PASSWORD: operatorPassword,
      ...plan.env,
      MONITOR_PORT: String(port),
      MONITOR_DATA_DIR: join(plan.dir, 'data'),
      MONITOR_CONFIG: configFile,
      ...(failPoint.point === undefined ? {} : { TEST_FAIL_POINT: failPoint.point, TEST_FAIL_HIT: String(failPoint.hit ?? 1) }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const url = `http://127.0.0.1:${port}`;
  return {
    child,
    url,
    output: () => output,
    ended,
    untilStatus: (condition, timeoutMs = 40_000) => untilStatus(url, condition, { timeoutMs, output: () => output }),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function untilStatus(
  url: string,
  condition: (view: StatusView) => boolean,
  { timeoutMs, output }: { readonly timeoutMs: number; readonly output: () => string },
): Promise<StatusView> {
  let last: unknown;
  for (const endsAt = performance.now() + timeoutMs; performance.now() < endsAt; await sleep(30)) {
    try {
      const response = await fetch(`${url}/api/operator/status`, { headers: asOperator, signal: AbortSignal.timeout(5_000) });
      const view = (await response.json()) as StatusView;
      if (condition(view)) return view;
      last = view;
    } catch (err) {
      last = err;
    }
  }
  throw new Error(
    `the monitor never showed it within ${timeoutMs / 1000} s; last: ${JSON.stringify(last)}; it said: ${output().slice(-2_000)}`,
  );
}

/** The status of one target. */
export const statusOf = (view: StatusView, name: string): string | undefined => view.targets.find((target) => target.name === name)?.status;
