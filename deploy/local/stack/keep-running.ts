import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#lib/errors.ts';
import { nextRestart, type RestartRule } from '#lib/retry.ts';

/** A program of the stack, such as the API. */
export type Part = {
  /** As people read it in messages. */
  readonly name: string;
  readonly launch: () => Promise<RunningPart>;
};

export type RunningPart = {
  /** Resolves once it serves. Rejects when the signal fires, or when it ends or takes too long before that. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Resolves with how it ended, as in "ended with status 1". Never rejects. */
  readonly ended: Promise<string>;
  /** Asks it to end, insists after a grace period, and resolves once nothing of it is left. */
  readonly stop: () => Promise<void>;
};

type KeptPart = { readonly stop: () => Promise<void> };

type KeepRunningOptions = {
  /** Fires when the whole stack is to stop; a part that is still starting is then given up. */
  readonly signal: AbortSignal;
  /** Takes one line for people. */
  readonly tell: (line: string) => void;
};

/**
 * Starts a part, resolves once it serves, and from then on starts it again whenever it ends, until `stop` is called.
 * @throws what the first start throws; nothing is left running then.
 */
export async function keepRunning(part: Part, options: KeepRunningOptions): Promise<KeptPart> {
  const first = await part.launch();
  const launchedAt = performance.now();
  try {
    await first.ready(options.signal);
  } catch (err) {
    await first.stop();
    throw err;
  }
  const stopping = new AbortController();
  const current = { running: first, launchedAt };
  const watched = watch(part, current, stopping.signal, options.tell);
  return {
    stop: async () => {
      stopping.abort();
      await current.running.stop();
      await watched;
    },
  };
}

const restartRule: RestartRule = { firstDelayMs: 200, maxDelayMs: 10_000, healthyAfterMs: 10_000 };

type Current = { running: RunningPart; launchedAt: number };

async function watch(part: Part, current: Current, stopping: AbortSignal, tell: (line: string) => void): Promise<void> {
  let failures = 0;
  let how = await current.running.ended;
  while (!stopping.aborted) {
    const next = nextRestart(restartRule, failures, performance.now() - current.launchedAt);
    failures = next.failuresInARow;
    tell(`${part.name} ${how}; starting it again in ${next.delayMs / 1000} s`);
    // Worker processes may outlive the one that ended and hold its port.
    await current.running.stop();
    await sleep(next.delayMs, undefined, { signal: stopping }).catch(() => {});
    if (stopping.aborted) return;
    how = await relaunch(part, current, stopping);
  }
}

/** Resolves with how the new start ended, or why it failed. */
async function relaunch(part: Part, current: Current, stopping: AbortSignal): Promise<string> {
  current.launchedAt = performance.now();
  try {
    current.running = await part.launch();
  } catch (err) {
    return `did not start: ${messageOf(err)}`;
  }
  // A stop that came during the launch has met the old one only.
  if (stopping.aborted) await current.running.stop();
  return current.running.ended;
}
