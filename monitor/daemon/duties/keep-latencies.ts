import { addLatency, noLatency, type MinuteOfLatency } from '../../model/latency.ts';
import type { ProbeResult } from '../../model/look.ts';
import type { LatencyLedger } from '../../store/store.ts';
import type { Duty } from './duty.ts';

/** Sums up how long answers take, minute by minute, until the store has it. */
export type LatencyKeeper = {
  /** Counts a look that was answered. What failed has no latency, and of what nobody could tell none is known. */
  readonly saw: (probe: string, look: Pick<ProbeResult, 'outcome' | 'latencyMs' | 'at'>) => void;
  /** Hands minutes to the store. @param before ms of the epoch; those that begin later are kept back @throws {StoreError} all stay */
  readonly keep: (before?: number) => void;
};

const minuteMs = 60_000;
/** For a store that takes nothing: the oldest go first. */
const mostKept = 2_000;

/** A crash loses a minute at most: latencies are for charts, and no alert hangs on them. */
export function createLatencyKeeper(ledger: Pick<LatencyLedger, 'add'>): LatencyKeeper {
  const minutes = new Map<string, MinuteOfLatency>();
  return {
    saw: (probe, { outcome, latencyMs, at: lookedAt }) => {
      if (outcome === 'failed' || outcome === 'faulty') return;
      const at = Math.floor(lookedAt / minuteMs) * minuteMs;
      const key = `${at} ${probe}`;
      minutes.set(key, { probe, at, sketch: addLatency(minutes.get(key)?.sketch ?? noLatency, latencyMs) });
      const [oldest] = minutes.keys();
      if (minutes.size > mostKept && oldest !== undefined) minutes.delete(oldest);
    },
    keep: (before = Infinity) => {
      const whole = [...minutes].filter(([, { at }]) => at + minuteMs <= before);
      if (whole.length === 0) return;
      ledger.add(whole.map(([, minute]) => minute));
      for (const [key] of whole) minutes.delete(key);
    },
  };
}

/** Each minute. A clock that was set back leaves minutes to come; they are kept when it is their time. */
export const keepLatenciesDuty = (keeper: LatencyKeeper): Duty => ({
  name: 'keep latencies',
  isDue: () => true,
  run: ({ at }) => keeper.keep(at),
});
