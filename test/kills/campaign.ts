import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { planFor, startMonitor, statusOf, type RunningMonitor } from '#test/integration/monitor/run-monitor.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { startSlackRecorder, type SlackRecorder } from '#test/support/slack-recorder.ts';

/** SIGKILL: the port refuses from then on. SIGSTOP: connections are taken, and nothing is ever answered. */
export type How = 'SIGKILL' | 'SIGSTOP';

/** One outage, by the clocks of this machine. */
export type Outage = {
  /** From the signal to the moment Slack has the message; undefined when none came within twice the bound. */
  readonly toldMs: number | undefined;
  /** From the moment the target serves again to the message that says so. */
  readonly resolvedMs: number | undefined;
};

export type WatcherOptions = {
  readonly how: How;
  readonly outages: number;
  readonly random: Random;
  /** `defaults` of the monitor's settings; those of the product where it is left out. */
  readonly cadence?: Readonly<Record<string, unknown>>;
  /** Longest wait between two outages, at random, so that they fall on any moment between two looks. */
  readonly longestPauseMs: number;
  readonly onOutage: (outage: Outage) => void;
};

export type Watched = {
  /** As the monitor states it on its page. */
  readonly boundMs: number;
  readonly outages: readonly Outage[];
  /** Messages beyond one that fires and one that resolves for each outage. */
  readonly surplus: readonly string[];
};

/** Has a daemon of its own watch a program of its own that is killed again and again at random moments, and times what it tells Slack. */
export async function watchOne({ how, outages, random, cadence, longestPauseMs, onOutage }: WatcherOptions): Promise<Watched> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-kills-'));
  const slack = await startSlackRecorder();
  const first = await startTarget();
  const { port } = first;
  let target = first.child;
  const env = { API_URL: `http://127.0.0.1:${port}`, SLACK_WEBHOOK_URL: slack.url };
  let monitor: RunningMonitor | undefined;
  try {
    monitor = await startMonitor(planFor(dir, env, { defaults: cadence ?? {} }));
    const view = await monitor.untilStatus((seen) => statusOf(seen, 'api') === 'up');
    const boundMs = view.targets.find(({ name }) => name === 'api')?.detection_bound_ms ?? 0;
    const all: Outage[] = [];
    for (let index = 0; index < outages; index += 1) {
      await sleep(randomInt(random, 0, longestPauseMs));
      const beganAt = Date.now();
      target.kill(how);
      const toldMs = await cameAfter(slack, '[FIRING]', beganAt, 2 * boundMs);
      target = await revive(target, how, port);
      const resolvedMs = await cameAfter(slack, '[RESOLVED]', Date.now(), 2 * boundMs);
      all.push({ toldMs, resolvedMs });
      onOutage({ toldMs, resolvedMs });
    }
    return { boundMs, outages: all, surplus: surplusOf(slack.texts(), all.length) };
  } finally {
    await monitor?.kill();
    target.kill('SIGKILL');
    await slack.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** @param wanted the port it had; default: any that is free */
async function startTarget(wanted = 0): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'target.ts')], {
    env: { ...cleanEnvironment(), PORT: `${wanted}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(said.toString()) };
}

async function revive(target: ChildProcess, how: How, port: number): Promise<ChildProcess> {
  if (how === 'SIGKILL') return (await startTarget(port)).child;
  target.kill('SIGCONT');
  return target;
}

/** @returns how long after a moment the first such message came; undefined when none does */
async function cameAfter(slack: SlackRecorder, start: string, sinceAt: number, withinMs: number): Promise<number | undefined> {
  const found = () => slack.messages.find(({ text, at }) => at >= sinceAt && text.startsWith(start));
  await slack.until(() => found() !== undefined, withinMs).catch(() => {});
  const message = found();
  return message && message.at - sinceAt;
}

function surplusOf(texts: readonly string[], outages: number): string[] {
  const usual = ['[FIRING]', '[RESOLVED]'];
  const others = texts.filter((text) => !usual.some((start) => text.startsWith(start)));
  return [...others, ...usual.flatMap((start) => texts.filter((text) => text.startsWith(start)).slice(outages))];
}
