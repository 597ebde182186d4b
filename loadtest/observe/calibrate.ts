import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runClosedLoad, type ClosedLoad } from '../generate/closed-load.ts';
import { mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import { sumCounts } from '../measurement/merge.ts';
import { isSaturating, type Calibration } from '../measurement/measurement.ts';

const childFile = join(import.meta.dirname, '../scenarios/shop/null-child.ts');

/**
 * Plays the same crowd, for a short time, against a server that does nothing. What is measured then is what the client
 * and this machine add to every figure of the run itself.
 * @returns null when the run was canceled or a process was lost.
 */
export async function calibrate(load: ClosedLoad, durationMs: number): Promise<Calibration | null> {
  const server = fork(childFile, { env: {}, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  try {
    const [{ origin }] = (await once(server, 'message', { signal: AbortSignal.timeout(10_000) })) as [{ origin: string }];
    const { profile } = load.crowd;
    const warmUpMs = isSaturating(profile) ? 1_000 : profile.thinkMs[1];
    const crowd = { ...load.crowd, profile: { ...profile, warmUpMs, durationMs }, slowShare: 0 };
    const result = await runClosedLoad({ ...load, origin, crowd });
    const measured = result.slices.filter(({ second }) => second >= Math.ceil(warmUpMs / 1_000));
    if (result.lost.length > 0) return null;
    const p99Ms = percentileMs(mergeHistograms(measured.map(({ latency }) => latency)), 99) ?? null;
    return { p99Ms, requestsPerSecond: sumCounts(measured).ok / (durationMs / 1_000) };
  } finally {
    server.kill();
  }
}
