import { showCount, showDuration, showShare } from '#lib/show.ts';
import { decodeHistogram, meanMs, mergeHistograms, percentileMs } from '../measurement/histogram.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { broken, met, notChecked, type Check } from './check.ts';
import { figuresOf, isSaturating } from './figures.ts';
import { shortestTimeoutMs } from './limits.ts';
import { instrumentShare } from './slowness.ts';

/** Of the mean pause: by as much the load may fall short. */
const maxLagShare = 0.02;
/** A machine of which others use more is not the run's alone. */
const maxOthersBusy = 0.3;
/** Against a server that does nothing the same client must be at least this much faster than against the real one. */
const minHeadroom = 1.25;

/**
 * Whether client and machine were quick enough to measure what was measured. Slowness excuses only as much as it lasted, see
 * `slowness`; here it is shown, and named when something was excused.
 */
export function judgeInstrument(measurement: Measurement): Check[] {
  return [judgeLoopDelay, judgeIdleAnswers, judgeCalibration, judgeMachine, judgeSendLag].map((examine) => examine(measurement));
}

const finestLimitMs = (measurement: Measurement): number =>
  isSaturating(measurement) ? shortestTimeoutMs(measurement) : measurement.budget.p95Ms;

function judgeLoopDelay(measurement: Measurement): Check {
  const head = { id: 'client-delay', kind: 'innocence', title: 'Event-loop delay of the client (p99)', onlySlows: true } as const;
  const limitMs = finestLimitMs(measurement) * instrumentShare;
  const worst = measurement.phases
    .flatMap(({ processVitals }) => processVitals)
    .map(({ loopDelay }) => percentileMs(decodeHistogram(loopDelay), 99))
    .filter((ms) => ms !== undefined);
  if (worst.length === 0) return notChecked(head, 'no generator process lived long enough to tell');
  const [measured, limit] = [showDuration(Math.max(...worst)), `≤ ${showDuration(limitMs)}`];
  if (Math.max(...worst) <= limitMs) return met(head, measured, limit);
  return broken(
    head,
    measured,
    limit,
    `1 % of the time the client itself was ${measured} late or more, which it would report as the server's`,
  );
}

function judgeIdleAnswers(measurement: Measurement): Check {
  const head = {
    id: 'idle-server',
    kind: 'innocence',
    title: 'A server that does nothing, asked all through the run (slowest second)',
    onlySlows: true,
  } as const;
  const limitMs = finestLimitMs(measurement) * instrumentShare;
  if (measurement.machine.length === 0) return notChecked(head, 'it was not asked');
  const worstMs = Math.max(...measurement.machine.map(({ idleAnswerMs }) => idleAnswerMs));
  const [measured, limit] = [showDuration(worstMs), `≤ ${showDuration(limitMs)}`];
  if (worstMs <= limitMs) return met(head, measured, limit);
  return broken(head, measured, limit, `client and machine alone took up to ${measured} for an answer that needs none`);
}

function judgeCalibration(measurement: Measurement): Check {
  const head = { id: 'calibration', kind: 'innocence', title: 'The same load on a server that does nothing' } as const;
  const { calibration } = measurement.client;
  if (calibration === null || calibration.p99Ms === null) return notChecked(head, 'the client was not calibrated');
  if (!isSaturating(measurement)) {
    const limitMs = measurement.budget.p99Ms * instrumentShare;
    const [measured, limit] = [`p99 ${showDuration(calibration.p99Ms)}`, `≤ ${showDuration(limitMs)}`];
    if (calibration.p99Ms <= limitMs) return met(head, measured, limit);
    return broken({ ...head, onlySlows: true }, measured, limit, `client and machine alone already took ${measured}`);
  }
  const { throughput } = figuresOf(measurement);
  const headroom = calibration.requestsPerSecond / Math.max(1, throughput);
  const measured = `${showCount(Math.round(calibration.requestsPerSecond))}/s, ${headroom.toFixed(1)} × the run`;
  if (headroom >= minHeadroom) return met(head, measured, `≥ ${minHeadroom} ×`);
  const reason = 'the client could hardly send more than the service answered, so it may have been the limit';
  return broken(head, measured, `≥ ${minHeadroom} ×`, reason);
}

function judgeMachine({ machine }: Measurement): Check {
  const head = {
    id: 'machine-quiet',
    kind: 'innocence',
    title: 'CPU of this machine used by others during the run (mean)',
    onlySlows: true,
  } as const;
  const shares = machine.flatMap(({ cpu }) => (cpu === null || cpu.target === null ? [] : [cpu.others]));
  if (shares.length === 0) return notChecked(head, 'whose CPU it was could not be told');
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const [measured, limit] = [showShare(mean), `≤ ${showShare(maxOthersBusy)}`];
  if (mean <= maxOthersBusy) return met(head, measured, limit);
  return broken(head, measured, limit, `other programs used ${measured} of this machine beside the run`);
}

function judgeSendLag({ phases }: Measurement): Check {
  const head = { id: 'send-lag', kind: 'innocence', title: 'Pauses longer than meant (mean)' } as const;
  const thinking = phases.flatMap(({ load, sendLag }) => (load.kind === 'closed' ? { thinkMs: load.thinkMs, sendLag } : []));
  if (thinking.length === 0) return notChecked(head, 'users who never pause have no moment they mean to send at');
  const lag = mergeHistograms(thinking.map(({ sendLag }) => sendLag));
  const lagMs = meanMs(lag);
  if (lagMs === undefined) return notChecked(head, 'nothing was sent in the measured window');
  const limitMs = maxLagShare * Math.min(...thinking.map(({ thinkMs: [least, most] }) => (least + most) / 2));
  const [measured, limit] = [`${showDuration(lagMs)} (p99 ${showDuration(percentileMs(lag, 99) ?? 0)})`, `≤ ${showDuration(limitMs)}`];
  if (lagMs <= limitMs) return met(head, measured, limit);
  const reason = `the client fell behind its own schedule by ${showDuration(lagMs)} on average, so the load was less than asked for`;
  return broken(head, measured, limit, reason);
}
