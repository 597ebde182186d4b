import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, processTree, readProcesses, ticksPerSecond } from '#lib/proc.ts';
import { bareEnvironment } from '#lib/run-command.ts';
import { sleepUntil } from './sample-server.ts';
import { openConnection } from '../generate/connection.ts';
import type { MachineSample } from '../measurement/measurement.ts';

/** A server that does nothing, in a process of its own, which ends with this one. */
export type NullServer = { readonly origin: string; readonly stop: () => void };

const startTimeoutMs = 10_000;

/** @param file module to fork, see Scenario */
export async function startNullServer(file: string): Promise<NullServer> {
  const server = fork(file, { env: bareEnvironment(), execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const [{ origin }] = (await once(server, 'message', { signal: AbortSignal.timeout(startTimeoutMs) })) as [{ origin: string }];
  return { origin, stop: () => server.kill() };
}

export type MachineWatch = {
  readonly nullServer: NullServer;
  /** The process the target descends from; undefined when it is not known or runs elsewhere. */
  readonly targetPid: number | undefined;
  readonly startSecond: number;
  readonly onSample: (sample: MachineSample) => void;
};

/** Often enough that no stall of a tenth of a second goes by unseen. */
const askEveryMs = 50;
const askTimeoutMs = 10_000;

/**
 * Watches this machine beside the run, second by second, until `stop` fires: who uses its CPU, and how long a server that
 * does nothing takes to answer, which is what client and machine add to every answer in that very second.
 */
export async function watchMachine(watch: MachineWatch, stop: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  let slowestMs = 0;
  const asking = askAgainAndAgain(watch.nullServer.origin, stop, (ms) => (slowestMs = Math.max(slowestMs, ms)));
  let before = await readUsage(watch.targetPid);
  for (let second = 0; !stop.aborted; second += 1) {
    await sleepUntil(startedMs + 1_000 * (second + 1), stop);
    const after = await readUsage(watch.targetPid);
    const [idleAnswerMs] = [slowestMs];
    slowestMs = 0;
    watch.onSample({ second: watch.startSecond + second, cpu: sharesOf(before, after), idleAnswerMs });
    before = after;
    // After a stall of this process itself the seconds that went by are one.
    second = Math.max(second, Math.floor((performance.now() - startedMs) / 1_000) - 1);
  }
  await asking;
}

/** A question that waits for its answer counts as it grows, so that a stall is seen before it is over. */
async function askAgainAndAgain(origin: string, stop: AbortSignal, onMs: (ms: number) => void): Promise<void> {
  const connection = openConnection(origin, askTimeoutMs);
  try {
    while (!stop.aborted) {
      const askedMs = performance.now();
      const waiting = setInterval(() => onMs(performance.now() - askedMs), askEveryMs);
      const exchange = await connection.send({ endpoint: 'idle', method: 'GET', path: '/', headers: {} });
      clearInterval(waiting);
      onMs(exchange.ms);
      await sleep(askEveryMs, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    await connection.close();
  }
}

type Usage = {
  readonly allSeconds: number;
  readonly idleSeconds: number;
  readonly ownSeconds: number;
  readonly targetSeconds: number | null;
};

/** The share of this machine's CPU, 0–1, that is in use over the next `ms`; 0 where there is no /proc. */
export async function measureMachineLoad(ms: number): Promise<number> {
  const before = await readUsage(undefined);
  await sleep(ms);
  return sharesOf(before, await readUsage(undefined))?.busy ?? 0;
}

/** Undefined where there is no /proc. */
async function readUsage(targetPid: number | undefined): Promise<Usage | undefined> {
  const [stat, processes] = await Promise.all([readFile('/proc/stat', 'utf8').catch(() => ''), readProcesses()]);
  const ticks = parseCpuLine(stat);
  if (ticks === undefined) return undefined;
  const target = targetPid === undefined ? [] : processTree(processes, targetPid);
  const own = processTree(processes, process.pid).filter((one) => !target.includes(one));
  return {
    allSeconds: ticks.all / ticksPerSecond,
    idleSeconds: ticks.idle / ticksPerSecond,
    ownSeconds: cpuSeconds(own),
    targetSeconds: target.length === 0 ? null : cpuSeconds(target),
  };
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal, and guest times that user holds already. */
export function parseCpuLine(stat: string): { all: number; idle: number } | undefined {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').slice(0, 8).map(Number);
  if (fields === undefined || fields.length < 8 || fields.some(Number.isNaN)) return undefined;
  const [, , , idle = 0, waiting = 0] = fields;
  return { all: fields.reduce((sum, ticks) => sum + ticks, 0), idle: idle + waiting };
}

/** Processes that came or went in between make single shares inexact; none is given below 0 or above 1. */
function sharesOf(before: Usage | undefined, after: Usage | undefined): MachineSample['cpu'] {
  if (before === undefined || after === undefined || after.allSeconds <= before.allSeconds) return null;
  const all = after.allSeconds - before.allSeconds;
  const share = (seconds: number): number => Math.min(1, Math.max(0, seconds / all));
  const busy = share(all - (after.idleSeconds - before.idleSeconds));
  const own = share(after.ownSeconds - before.ownSeconds);
  const isKnown = before.targetSeconds !== null && after.targetSeconds !== null;
  const target = isKnown ? share(after.targetSeconds - before.targetSeconds) : null;
  return { busy, own, target, others: Math.max(0, busy - own - (target ?? 0)) };
}
