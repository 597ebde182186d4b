import type { MachineSample, Measurement } from '../measurement/measurement.ts';

/** An instrument should be ten times finer than what it measures: what the client may add is a tenth of the limit. */
export const instrumentShare = 0.1;

/** From here on a machine has no CPU left to give, for it is not busy evenly: who runs, runs at the cost of others. */
export const exhaustedShare = 0.9;

/** What an answer that ended in a second of the run may have taken, client and machine taken into account. */
export type Allowance = (limitMs: number, second: number) => number;

/** As if client and machine cost no time at all. */
export const noAllowance: Allowance = (limitMs) => limitMs;

/**
 * By how much client and machine may have lengthened an answer, in the second it ended in and its neighbours. Added is what
 * the client's event loop was late then and what a server that does nothing took to answer; what is fine enough for an
 * instrument counts as nothing. Where the machine was exhausted, whatever others used of it was missing: an answer takes at
 * most 1 ÷ (1 − their share) as long as it would have without them.
 */
export function allowanceOf(measurement: Measurement): Allowance {
  const { client, budget } = measurement;
  const fineMs = instrumentShare * budget.p95Ms;
  const calibratedMs = client.calibration?.p99Ms ?? 0;
  const baseMs = calibratedMs > instrumentShare * budget.p99Ms ? calibratedMs : 0;
  const clientMs = clientDelays(measurement);
  const machine = machineSeconds(measurement.machine);
  const lateMs = (second: number): number => (clientMs.get(second) ?? 0) + Math.max(baseMs, machine.get(second)?.idleAnswerMs ?? 0);
  const othersShare = (second: number): number => {
    const cpu = machine.get(second)?.cpu;
    return cpu && cpu.target !== null && cpu.busy >= exhaustedShare ? Math.min(cpu.others, exhaustedShare) : 0;
  };
  return (limitMs, second) => {
    const addedMs = around(second, lateMs);
    return (limitMs + (addedMs > fineMs ? addedMs : 0)) / (1 - around(second, othersShare));
  };
}

/** A watch that stood still for some seconds has one sample of them all, the first one's; that long the machine may have been away. */
function machineSeconds(samples: readonly MachineSample[]): Map<number, MachineSample> {
  const seconds = new Map<number, MachineSample>();
  for (const [index, sample] of samples.entries()) {
    const end = samples[index + 1]?.second ?? sample.second + 1;
    const idleAnswerMs = Math.max(sample.idleAnswerMs, 1_000 * (end - sample.second - 1));
    for (let { second } = sample; second < end; second += 1) seconds.set(second, { ...sample, idleAnswerMs });
  }
  return seconds;
}

/** The worst of a second and its neighbours: a stall shows in the second it ends in. */
const around = (second: number, read: (at: number) => number): number => Math.max(read(second - 1), read(second), read(second + 1));

/** Of several processes the latest. */
function clientDelays({ phases }: Measurement): Map<number, number> {
  const delays = new Map<number, number>();
  const seconds = phases.flatMap(({ processVitals }) => processVitals).flatMap((vitals) => vitals.seconds);
  for (const { second, maxDelayMs } of seconds) delays.set(second, Math.max(maxDelayMs, delays.get(second) ?? 0));
  return delays;
}
