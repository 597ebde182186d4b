/** How a target was over a day in UTC. What is missing of a whole day nobody knows. */
export type DayTally = {
  readonly probe: string;
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly upMs: number;
  readonly degradedMs: number;
  readonly downMs: number;
};

/** Both together, of the same target and day. Pure. */
export const addTallies = (a: DayTally, b: DayTally): DayTally => ({
  ...a,
  upMs: a.upMs + b.upMs,
  degradedMs: a.degradedMs + b.degradedMs,
  downMs: a.downMs + b.downMs,
});

/** Share of the time that is known in which a target did its work, degraded or not; undefined where nothing is known. Pure. */
export function uptimeOf(tallies: readonly DayTally[]): number | undefined {
  const [up, down] = tallies.reduce(([good, bad], { upMs, degradedMs, downMs }) => [good + upMs + degradedMs, bad + downMs], [0, 0]) as [
    number,
    number,
  ];
  return up + down === 0 ? undefined : up / (up + down);
}
