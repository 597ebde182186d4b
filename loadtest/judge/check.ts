import type { Measurement } from '../measurement/measurement.ts';
import type { Witness } from '../measurement/witness.ts';

/** One thing that was examined. Reports show all of them; the verdict follows from those that are broken. */
export type Check = {
  /** Stable, for scripts: `latency-p95`, `send-lag`, `orders-kept`. */
  readonly id: string;
  /** `innocence`: could the client itself have made the figures? */
  readonly kind: 'innocence' | 'limit' | 'invariant';
  readonly title: string;
  /** `tolerated`: broken, but it can only have made the service look slower, and that does not change the verdict. */
  readonly outcome: 'met' | 'broken' | 'tolerated' | 'not-checked';
  /** What was found and what is allowed, with units. */
  readonly measured: string;
  readonly limit: string;
  /** One sentence: why it is broken or could not be checked; what it means. Empty when met without remark. */
  readonly reason: string;
  /** What can be looked up of it; none when met. */
  readonly witnesses?: readonly Witness[];
  /** Of faults of client and machine that can only lengthen what is measured: by about how much. */
  readonly slowsByMs?: number;
  /** Of broken limits: how much slower than allowed; Infinity when no slowness of the client can explain it. */
  readonly excessMs?: number;
};

/** Examines a measurement for one matter. Pure: the same file gives the same checks, whenever and wherever it is judged. */
export type Judge = (measurement: Measurement) => readonly Check[];

type CheckHead = Pick<Check, 'id' | 'kind' | 'title' | 'slowsByMs' | 'excessMs' | 'witnesses'>;

export const met = (head: CheckHead, measured: string, limit: string, reason = ''): Check => ({
  ...head,
  outcome: 'met',
  measured,
  limit,
  reason,
});

export const broken = (head: CheckHead, measured: string, limit: string, reason: string): Check => ({
  ...head,
  outcome: 'broken',
  measured,
  limit,
  reason,
});

export const notChecked = (head: CheckHead, reason: string, limit = ''): Check => ({
  ...head,
  outcome: 'not-checked',
  measured: '–',
  limit,
  reason,
});

/** Durations for people: 0.4 ms, 12 ms, 1.2 s. */
export function showMs(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(ms >= 10_000 ? 1 : 2)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** Shares of 0–1 for people: 0.31 %. */
export const showShare = (share: number): string => `${(share * 100).toFixed(share >= 0.1 ? 1 : 2)} %`;

export const showCount = (count: number): string => count.toLocaleString('en-US');
