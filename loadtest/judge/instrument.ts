import { decodeHistogram, meanMs, mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, showCount, showMs, showShare, type Check } from './check.ts';
import { figuresOf } from './figures.ts';
import { shortestTimeoutMs } from './limits.ts';

/** An instrument should be ten times finer than what it measures: what the client may add is a tenth of the limit. */
const instrumentShare = 0.1;
/** Above this share of a core a single-threaded client begins to queue answers that have already arrived. */
const maxUtilization = 0.7;
/** Of the mean pause: by as much the load may fall short. */
const maxLagShare = 0.02;
/** A machine that is busier without the run is not the run's alone. */
const maxOthersBusy = 0.3;
/** Against a null server the same client must be at least this much faster than against the real one. */
const minHeadroom = 1.25;

/** Whether client and machine were quick enough to measure what was measured. */
export function judgeInstrument(measurement: Measurement): Check[] {
  const { budget } = measurement;
  return [
    judgeLoopDelay(measurement, finestLimitMs(measurement) * instrumentShare),
    judgeUtilization(measurement),
    judgeSendLag(measurement),
    judgeCalibration(measurement, budget.p99Ms * instrumentShare),
    judgeMachine(measurement, budget.p95Ms),
  ];
}

const isSaturating = ({ phases }: Measurement): boolean => phases.every(({ load }) => load.kind === 'saturating');

const finestLimitMs = (measurement: Measurement): number =>
  isSaturating(measurement) ? shortestTimeoutMs(measurement) : measurement.budget.p95Ms;

function judgeLoopDelay({ phases }: Measurement, limitMs: number): Check {
  const head = { id: 'client-delay', kind: 'innocence', title: 'Event-loop delay of the client (p99)' } as const;
  const worst = phases
    .flatMap(({ processVitals }) => processVitals)
    .map(({ loopDelay }) => percentileMs(decodeHistogram(loopDelay), 99))
    .filter((ms) => ms !== undefined);
  if (worst.length === 0) return notChecked(head, 'no generator process lived long enough to tell');
  const worstMs = Math.max(...worst);
  const [measured, limit] = [showMs(worstMs), `≤ ${showMs(limitMs)}`];
  if (worstMs <= limitMs) return met(head, measured, limit);
  return broken(
    { ...head, slowsByMs: worstMs },
    measured,
    limit,
    `1 % of the time the client itself was ${measured} late or more, which it would report as the server's`,
  );
}

function judgeUtilization(measurement: Measurement): Check {
  const head = {
    id: 'client-utilization',
    kind: 'innocence',
    title: 'Event-loop utilization of the client (p95)',
  } as const;
  if (isSaturating(measurement))
    return notChecked(head, 'a client that never pauses is as busy as the server lets it be; calibration tells');
  const all = measurement.phases
    .flatMap(({ processVitals }) => processVitals)
    .flatMap(({ seconds }) => seconds.map(({ utilization }) => utilization))
    .toSorted((a, b) => a - b);
  const p95 = all[Math.min(all.length - 1, Math.floor(all.length * 0.95))];
  if (p95 === undefined) return notChecked(head, 'no generator process lived long enough to tell');
  const [measured, limit] = [showShare(p95), `≤ ${showShare(maxUtilization)}`];
  if (p95 <= maxUtilization) return met(head, measured, limit);
  return broken(
    { ...head, slowsByMs: Number.MAX_VALUE },
    measured,
    limit,
    `the client was busy ${measured} of the time, so answers waited for it`,
  );
}

function judgeSendLag({ phases }: Measurement): Check {
  const head = { id: 'send-lag', kind: 'innocence', title: 'Pauses longer than meant (mean)' } as const;
  const thinking = phases.flatMap(({ load, sendLag }) => (load.kind === 'closed' ? { thinkMs: load.thinkMs, sendLag } : []));
  if (thinking.length === 0) return notChecked(head, 'users who never pause have no moment they mean to send at');
  const lag = mergeHistograms(thinking.map(({ sendLag }) => sendLag));
  const lagMs = meanMs(lag);
  if (lagMs === undefined) return notChecked(head, 'nothing was sent in the measured window');
  const limitMs = maxLagShare * Math.min(...thinking.map(({ thinkMs: [least, most] }) => (least + most) / 2));
  const [measured, limit] = [`${showMs(lagMs)} (p99 ${showMs(percentileMs(lag, 99) ?? 0)})`, `≤ ${showMs(limitMs)}`];
  if (lagMs <= limitMs) return met(head, measured, limit);
  return broken(
    head,
    measured,
    limit,
    `the client fell behind its own schedule by ${showMs(lagMs)} on average, so the load was less than asked for`,
  );
}

function judgeCalibration(measurement: Measurement, limitMs: number): Check {
  const head = { id: 'calibration', kind: 'innocence', title: 'The same load on a server that does nothing' } as const;
  const { calibration } = measurement.client;
  if (calibration === null || calibration.p99Ms === null) return notChecked(head, 'the client was not calibrated');
  if (!isSaturating(measurement)) {
    const [measured, limit] = [`p99 ${showMs(calibration.p99Ms)}`, `≤ ${showMs(limitMs)}`];
    if (calibration.p99Ms <= limitMs) return met(head, measured, limit);
    return broken({ ...head, slowsByMs: calibration.p99Ms }, measured, limit, `client and machine alone already take ${measured}`);
  }
  const { throughput } = figuresOf(measurement);
  const headroom = calibration.requestsPerSecond / Math.max(1, throughput);
  const measured = `${showCount(Math.round(calibration.requestsPerSecond))}/s, ${headroom.toFixed(1)} × the run`;
  if (headroom >= minHeadroom) return met(head, measured, `≥ ${minHeadroom} ×`);
  return broken(
    head,
    measured,
    `≥ ${minHeadroom} ×`,
    'the client could hardly send more than the service answered, so it may have been the limit',
  );
}

function judgeMachine({ client }: Measurement, slowsByMs: number): Check {
  const head = { id: 'machine-quiet', kind: 'innocence', title: 'CPU of this machine used by others, before and after the run' } as const;
  const { before, after } = client.othersBusy;
  const busy = Math.max(before, after);
  const [measured, limit] = [`${showShare(before)}, ${showShare(after)}`, `≤ ${showShare(maxOthersBusy)}`];
  if (busy <= maxOthersBusy) return met(head, measured, limit);
  return broken({ ...head, slowsByMs }, measured, limit, `other programs used ${showShare(busy)} of this machine beside the run`);
}
