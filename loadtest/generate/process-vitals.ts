import { performance } from 'node:perf_hooks';
import { createHistogram, encodeHistogram, recordDelayMs } from '../measurement/histogram.ts';
import type { ProcessVitals } from '../measurement/measurement.ts';

/** How often the event loop is asked to turn up. */
const intervalMs = 10;

/**
 * Watches this process: could it have made the figures it measures worse?
 * Node's own monitorEventLoopDelay counts a block of a second as one sample among hundreds, which hides it from any
 * percentile; here a delay weighs as long as it lasted.
 */
export type VitalsMonitor = {
  /** Closes the second that has passed; unmeasured ones are dropped. */
  readonly endSecond: (second: number, isMeasured: boolean) => void;
  readonly close: () => ProcessVitals;
};

export function watchProcess(): VitalsMonitor {
  const loopDelay = createHistogram();
  const seconds: ProcessVitals['seconds'][number][] = [];
  let dueMs = performance.now() + intervalMs;
  let maxDelayMs = 0;
  let pending: number[] = [];
  let before = readUsage();

  const timer = setInterval(() => {
    const now = performance.now();
    const delayMs = Math.max(0, now - dueMs);
    pending.push(delayMs);
    maxDelayMs = Math.max(maxDelayMs, delayMs);
    dueMs = now + intervalMs;
  }, intervalMs).unref();

  return {
    endSecond: (second, isMeasured) => {
      const after = readUsage();
      if (isMeasured) {
        for (const delayMs of pending) recordDelayMs(loopDelay, delayMs, intervalMs);
        const wallUs = (after.atMs - before.atMs) * 1_000;
        const utilization = performance.eventLoopUtilization(after.loop, before.loop).utilization;
        const cpu = (after.cpuUs - before.cpuUs) / wallUs;
        seconds.push({ second, utilization, cpu, maxDelayMs, residentBytes: process.memoryUsage.rss() });
      }
      before = after;
      pending = [];
      maxDelayMs = 0;
    },
    close: () => {
      clearInterval(timer);
      return { seconds, loopDelay: encodeHistogram(loopDelay) };
    },
  };
}

function readUsage() {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), cpuUs: user + system, loop: performance.eventLoopUtilization() };
}
