import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';

export type LoopSample = {
  /** How late the loop was in the last second, in milliseconds. */
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Share of the time the loop was busy, 0 to 1. */
  readonly utilization: number;
};

export type LoopWatch = { readonly last: () => LoopSample; readonly stop: () => void };

const resolutionMs = 10;
const sampleEveryMs = 1_000;

/** Watches this process' event loop, one sample a second. */
export function watchEventLoop(): LoopWatch {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let utilizationBefore: EventLoopUtilization = performance.eventLoopUtilization();
  let last: LoopSample = { meanMs: 0, p99Ms: 0, maxMs: 0, utilization: 0 };
  const timer = setInterval(() => {
    const utilizationNow = performance.eventLoopUtilization();
    last = {
      meanMs: lateness(delay.mean),
      p99Ms: lateness(delay.percentile(99)),
      maxMs: lateness(delay.max),
      utilization: performance.eventLoopUtilization(utilizationNow, utilizationBefore).utilization,
    };
    utilizationBefore = utilizationNow;
    delay.reset();
  }, sampleEveryMs).unref();
  return {
    last: () => last,
    stop: () => {
      clearInterval(timer);
      delay.disable();
    },
  };
}

/** The histogram records the whole interval between two of its ticks, in nanoseconds; NaN when there was none. */
function lateness(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - resolutionMs) : 0;
}
