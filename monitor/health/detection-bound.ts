import type { Thresholds } from '../model/look.ts';

export type Cadence = Thresholds & {
  /** From the start of one look to the start of the next. */
  readonly intervalMs: number;
  /** Longest a look may take. */
  readonly timeoutMs: number;
  /** From the end of a look to the start of the next, while a streak has not settled. */
  readonly confirmIntervalMs: number;
};

/** Room for timers that fire late, commits and other work on a busy machine, over all looks that lead to an alert. */
const schedulingMs = 1_000;

/**
 * Longest time from the start of a lasting outage to the commit of its alert, in ms. An outage that begins just after a
 * look is seen one interval later at the latest, takes the whole timeout to show, and is then confirmed. The alert also
 * waits until every parent has been looked at since, and has settled if it fails too. Pure.
 */
export function detectionBoundMs(cadence: Cadence, parents: readonly Cadence[] = []): number {
  const own = cadence.timeoutMs + confirmationMs(cadence);
  // A look at the parent that began before the failure says nothing about it; it may take its whole time before the next.
  const ofParents = parents.map((parent) => Math.max(cadence.timeoutMs, parent.timeoutMs) + parent.timeoutMs + confirmationMs(parent));
  return untilNextLookMs(cadence) + Math.max(own, ...ofParents) + schedulingMs;
}

/** A look that takes longer than the interval puts the next one off. */
function untilNextLookMs(cadence: Cadence): number {
  return Math.max(cadence.intervalMs, cadence.timeoutMs);
}

function confirmationMs(cadence: Cadence): number {
  return (cadence.failures - 1) * (cadence.confirmIntervalMs + cadence.timeoutMs);
}

/** Longest time from the end of an outage to the commit of its resolve, in ms. */
export function recoveryBoundMs(cadence: Cadence): number {
  const confirmations = (cadence.successes - 1) * (cadence.confirmIntervalMs + cadence.timeoutMs);
  return untilNextLookMs(cadence) + cadence.timeoutMs + confirmations + schedulingMs;
}
