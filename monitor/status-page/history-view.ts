import { uptimeOf, type DayTally } from '../model/tally.ts';

const dayMs = 86_400_000;

/** How long days are kept, and shown. */
export const historyDays = 400;

/** How a target was over the last days; shares from 0 to 1, null where nothing is known. */
export type HistoryView = {
  readonly target: string;
  readonly uptime_1d: number | null;
  readonly uptime_30d: number | null;
  readonly uptime_400d: number | null;
  /** Days of which something is known, oldest first. */
  readonly days: readonly DayView[];
};

export type DayView = {
  /** `2026-11-26`, in UTC. */
  readonly date: string;
  readonly uptime: number | null;
  readonly down_ms: number;
  readonly degraded_ms: number;
  /** Of the day so far in which nobody could tell, or nobody watched. */
  readonly unknown_ms: number;
};

/** Pure. */
export function presentHistory(targets: readonly string[], tallies: readonly DayTally[], now: number): HistoryView[] {
  const today = Math.floor(now / dayMs);
  const byTarget = Map.groupBy(tallies, ({ probe }) => probe);
  return targets.map((target) => {
    const own = byTarget.get(target) ?? [];
    const since = (days: number): number | null => uptimeOf(own.filter(({ day }) => day > today - days)) ?? null;
    return {
      target,
      uptime_1d: since(1),
      uptime_30d: since(30),
      uptime_400d: since(historyDays),
      days: own.map((tally) => presentKnownDay(tally, now)),
    };
  });
}

/** What was made of days that are over: there are thousands, and each change of a page shows them all. */
const pastDays = new WeakMap<DayTally, DayView>();

function presentKnownDay(tally: DayTally, now: number): DayView {
  const isOver = now >= (tally.day + 1) * dayMs;
  const view = (isOver && pastDays.get(tally)) || presentDay(tally, now);
  if (isOver) pastDays.set(tally, view);
  return view;
}

function presentDay(tally: DayTally, now: number): DayView {
  const { day, upMs, degradedMs, downMs } = tally;
  const passedMs = Math.min(dayMs, now - day * dayMs);
  return {
    date: new Date(day * dayMs).toISOString().slice(0, 10),
    uptime: uptimeOf([tally]) ?? null,
    down_ms: downMs,
    degraded_ms: degradedMs,
    unknown_ms: Math.max(0, passedMs - upMs - degradedMs - downMs),
  };
}
