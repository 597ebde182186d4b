import type { Health, HealthStatus, ProbeResult } from '../model/look.ts';
import type { DayTally } from '../model/tally.ts';
import { statusOf } from './health-state.ts';

const dayMs = 86_400_000;

/** Looks further apart than the longest way back to up, and this for a busy machine, leave time in which nobody watched. */
const busyMs = 15_000;

/**
 * How a target was between its last look and this one, by the status that was shown, for each day in UTC. Time in which nobody could
 * tell, or nobody watched, is no time at all. Pure.
 * @param graceMs longest time that regular looks are apart, and more
 */
export function tallyBetween(probe: string, before: Health, look: Pick<ProbeResult, 'at' | 'clockMs'>, graceMs: number): DayTally[] {
  const last = before.recent.at(-1);
  const status = statusOf(before);
  if (!last || status === 'unknown') return [];
  // By the clock that never jumps; the days are those of the moment at which it ended.
  const elapsedMs = look.clockMs - last.clockMs;
  if (elapsedMs <= 0 || elapsedMs > graceMs + busyMs) return [];
  const [from, to] = [look.at - elapsedMs, look.at];
  const midnight = Math.floor(to / dayMs) * dayMs;
  if (from >= midnight) return [entry(probe, to, status, elapsedMs)];
  return [entry(probe, midnight - 1, status, midnight - from), ...(to > midnight ? [entry(probe, to, status, to - midnight)] : [])];
}

function entry(probe: string, at: number, status: Exclude<HealthStatus, 'unknown'>, ms: number): DayTally {
  const none = { probe, day: Math.floor(at / dayMs), upMs: 0, degradedMs: 0, downMs: 0 };
  if (status === 'up') return { ...none, upMs: ms };
  return status === 'down' ? { ...none, downMs: ms } : { ...none, degradedMs: ms };
}
