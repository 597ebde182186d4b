import { highestRate } from '../generate/arrivals.ts';
import { playPhase, type PhaseOptions } from '../generate/play-phase.ts';
import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { sumCounts } from '../measurement/merge.ts';
import type { Calibration, OpenLoad, Slice } from '../measurement/measurement.ts';

/** How long the client is measured against a server that does nothing. */
const calibrationMs = 2_000;
const shortWarmUpMs = 1_000;

/** The highest rate of an open load, held. */
function atItsMost(load: OpenLoad): OpenLoad {
  const most = highestRate(load);
  return { ...load, stages: [{ fromPerSecond: most, toPerSecond: most, durationMs: calibrationMs }] };
}

/**
 * Plays the same users, for a short time, against a server that does nothing. What is measured then is what the client
 * and this machine add to every figure of the run itself.
 * @param origin of the server that does nothing
 * @returns null when the run was canceled or a process was lost.
 */
export async function calibrate(
  run: Omit<PhaseOptions, 'origin' | 'startSecond' | 'isRehearsal' | 'onSlices' | 'onEvents'>,
  origin: string,
): Promise<Calibration | null> {
  const { load } = run.phase;
  const warmUpMs = load.kind === 'closed' ? load.thinkMs[1] : shortWarmUpMs;
  const phase = { ...run.phase, load: load.kind === 'open' ? atItsMost(load) : load, warmUpMs, durationMs: calibrationMs };
  const slices: Slice[] = [];
  const played = await playPhase({ ...run, phase, origin, startSecond: 0, isRehearsal: true, onSlices: (news) => slices.push(...news) });
  if (played.lost.length > 0) return null;
  const measured = slices.filter(({ second }) => second >= Math.ceil(warmUpMs / 1_000));
  const p99Ms = percentileMs(mergeHistograms(measured.map(({ latency }) => latency)), 99) ?? null;
  return { p99Ms, requestsPerSecond: sumCounts(measured).ok / (calibrationMs / 1_000) };
}
