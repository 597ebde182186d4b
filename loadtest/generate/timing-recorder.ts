import { createHistogram, encodeHistogram, recordMs } from '../measurement/histogram.ts';
import { timingParts, type TimingBand, type TimingPart } from '../measurement/measurement.ts';

export type ServerTiming = Readonly<Record<TimingPart, number>>;

/**
 * The durations in milliseconds of a Server-Timing header, 0 for parts it does not name; undefined when it names none.
 * @see https://www.w3.org/TR/server-timing/
 */
export function parseServerTiming(header: string | undefined): ServerTiming | undefined {
  if (header === undefined) return undefined;
  const timing: Record<TimingPart, number> = { queue: 0, pool: 0, db: 0, app: 0 };
  let found = false;
  for (const entry of header.split(',')) {
    const [name, ...parameters] = entry.split(';').map((part) => part.trim());
    const duration = Number(parameters.find((parameter) => parameter.startsWith('dur='))?.slice('dur='.length));
    if (!isTimingPart(name) || !Number.isFinite(duration)) continue;
    timing[name] = duration;
    found = true;
  }
  return found ? timing : undefined;
}

const isTimingPart = (name: string | undefined): name is TimingPart => (timingParts as readonly (string | undefined)[]).includes(name);

/** The parts follow one another, so together they are the server's own time for the request. */
const totalMs = (timing: ServerTiming): number => timingParts.reduce((sum, part) => sum + timing[part], 0);

type OpenBand = { -readonly [K in keyof TimingBand]: TimingBand[K] } & { sumMs: Record<TimingPart, number> };

/** More than rounding and two clocks can explain. */
const impossibleByMs = 2;

/** Sums the server's own timings by endpoint and power of two of the latency, so that slow responses can be told apart. */
export function createTimingRecorder() {
  const bands = new Map<string, OpenBand>();
  const outside = createHistogram();
  return {
    record: (endpoint: string, latencyMs: number, timing: ServerTiming): void => {
      const band = Math.floor(Math.log2(Math.max(1, latencyMs)));
      const key = `${band} ${endpoint}`;
      const entry = bands.get(key) ?? emptyBand(endpoint, band);
      entry.count += 1;
      entry.latencySumMs += latencyMs;
      for (const part of timingParts) entry.sumMs[part] += timing[part];
      if (totalMs(timing) > latencyMs + impossibleByMs) entry.impossible += 1;
      bands.set(key, entry);
      recordMs(outside, latencyMs - totalMs(timing));
    },
    result: (): { serverTimings: TimingBand[]; outsideServer: string } => ({
      serverTimings: [...bands.values()],
      outsideServer: encodeHistogram(outside),
    }),
  };
}

const emptyBand = (endpoint: string, band: number): OpenBand => ({
  endpoint,
  band,
  count: 0,
  latencySumMs: 0,
  sumMs: { queue: 0, pool: 0, db: 0, app: 0 },
  impossible: 0,
});
