import { decodeHistogram, meanMs, percentileMs } from '../measure/histogram.ts';
import { settledCount, sumCounts } from '../measure/merge.ts';
import { isSaturating, type Measurement } from '../measure/measurement.ts';
import { broken, met, notChecked, showCount, showMs, showShare, type Check } from './check.ts';
import { figuresOf } from './figures.ts';
import type { Thresholds } from './thresholds.ts';

/** An instrument should be ten times finer than what it measures: what the client may add is a tenth of the limit. */
const instrumentShare = 0.1;
/** Above this share of a core a single-threaded client begins to queue answers that have already arrived. */
const maxUtilization = 0.7;
/** Of the mean pause: by as much the load may fall short. */
const maxLagShare = 0.02;
/** With more refused for want of stock, a run measured an empty shop. */
const maxRefusedOrders = 0.2;
/** Against a null server the same client must be at least this much faster than against the real one. */
const minHeadroom = 1.25;

/** Whether the figures can be believed at all: could the client, its machine or its quota have made them? */
export function judgeInnocence(measurement: Measurement, thresholds: Thresholds): Check[] {
  return [
    judgeLost(measurement),
    judgeConservation(measurement),
    judgeServerCount(measurement),
    judgeLimited(measurement),
    judgeOrders(measurement),
    judgeLoopDelay(measurement, finestLimitMs(measurement, thresholds) * instrumentShare),
    judgeUtilization(measurement),
    judgeSendLag(measurement),
    judgeCalibration(measurement, thresholds.p99Ms * instrumentShare),
    judgeServerTimes(measurement),
  ];
}

/** Without pauses only errors are judged, and of those only timeouts depend on the client's clock. */
const finestLimitMs = ({ profile }: Measurement, { p95Ms }: Thresholds): number => (isSaturating(profile) ? profile.timeoutMs : p95Ms);

function judgeLost({ client }: Measurement): Check {
  const head = { id: 'generator-complete', kind: 'innocence', title: 'All generator processes played to the end' } as const;
  if (client.lost.length === 0) return met(head, `${client.processes.length} of ${client.processes.length}`, 'all');
  return broken(head, `${client.lost.length} lost`, 'all', client.lost.join('; '));
}

function judgeConservation({ slices, inFlightAtEnd }: Measurement): Check {
  const head = { id: 'conservation', kind: 'innocence', title: 'Sent = answered + failed + still under way' } as const;
  const counts = sumCounts(slices);
  const settled = settledCount(counts);
  const measured = `${showCount(counts.sent)} = ${showCount(settled)} + ${showCount(inFlightAtEnd)}`;
  if (counts.sent === 0) return broken(head, measured, 'equal', 'nothing was sent');
  if (settled === 0) return broken(head, measured, 'equal', 'nothing came to an end');
  if (counts.sent === settled + inFlightAtEnd) return met(head, measured, 'equal');
  return broken(
    head,
    measured.replace('=', '≠'),
    'equal',
    `the client lost count of ${showCount(counts.sent - settled - inFlightAtEnd)} requests`,
  );
}

/** Two counts by two programs: an answer the client did not notice, or a request it did not mean to send, shows here. */
function judgeServerCount({ slices, books }: Measurement): Check {
  const head = { id: 'server-count', kind: 'innocence', title: 'Requests the server counted = requests the client sent' } as const;
  if (books.requestsServed === null) return notChecked(head, 'the count could not be read, or others use the service too');
  const counts = sumCounts(slices);
  const answered = counts.ok + counts.refused + counts.limited + counts.httpErrors + counts.wrongAnswers;
  const served = books.requestsServed;
  const limit = answered === counts.sent ? showCount(answered) : `${showCount(answered)} to ${showCount(counts.sent)}`;
  if (served > counts.sent)
    return broken(
      head,
      showCount(served),
      limit,
      `the server answered ${showCount(served - counts.sent)} requests that the client did not account for`,
    );
  if (served < answered)
    return notChecked(
      head,
      `the server counted only ${showCount(served)}: one of its processes was replaced, and its count with it`,
      limit,
    );
  return met(head, showCount(served), limit);
}

function judgeLimited({ slices }: Measurement): Check {
  const head = { id: 'not-rate-limited', kind: 'innocence', title: 'No answer came from the rate limit (429)' } as const;
  const { limited } = sumCounts(slices);
  if (limited === 0) return met(head, '0', '0');
  const reason = `${showCount(limited)} requests were answered 429: the run measured the rate limit, not the service; is RATE_LIMIT_LOADTEST_CALLS too low?`;
  return broken(head, showCount(limited), '0', reason);
}

function judgeOrders({ orders }: Measurement): Check {
  const head = { id: 'stock-sufficient', kind: 'innocence', title: 'Orders not refused for want of stock' } as const;
  const total = orders.acknowledged + orders.refused;
  const share = total === 0 ? 0 : orders.refused / total;
  const [measured, limit] = [`${showCount(orders.refused)} of ${showCount(total)} refused`, `≤ ${showShare(maxRefusedOrders)}`];
  if (share <= maxRefusedOrders) return met(head, measured, limit);
  return broken(head, measured, limit, 'most of the stock was gone, so that hardly an order was really placed');
}

function judgeLoopDelay({ client }: Measurement, limitMs: number): Check {
  const head = { id: 'client-delay', kind: 'innocence', onlySlows: true, title: 'Event-loop delay of the client (p99)' } as const;
  const worst = client.processes.map(({ loopDelay }) => percentileMs(decodeHistogram(loopDelay), 99)).filter((ms) => ms !== undefined);
  if (worst.length === 0) return notChecked(head, 'no generator process lived long enough to tell');
  const worstMs = Math.max(...worst);
  const [measured, limit] = [showMs(worstMs), `≤ ${showMs(limitMs)}`];
  if (worstMs <= limitMs) return met(head, measured, limit);
  return broken(
    head,
    measured,
    limit,
    `1 % of the time the client itself was ${measured} late or more, which it would report as the server's`,
  );
}

function judgeUtilization({ client, profile }: Measurement): Check {
  const head = {
    id: 'client-utilization',
    kind: 'innocence',
    onlySlows: true,
    title: 'Event-loop utilization of the client (p95)',
  } as const;
  if (isSaturating(profile)) return notChecked(head, 'a client that never pauses is as busy as the server lets it be; calibration tells');
  const all = client.processes.flatMap(({ seconds }) => seconds.map(({ utilization }) => utilization)).toSorted((a, b) => a - b);
  const p95 = all[Math.min(all.length - 1, Math.floor(all.length * 0.95))];
  if (p95 === undefined) return notChecked(head, 'no generator process lived long enough to tell');
  const [measured, limit] = [showShare(p95), `≤ ${showShare(maxUtilization)}`];
  if (p95 <= maxUtilization) return met(head, measured, limit);
  return broken(head, measured, limit, `the client was busy ${measured} of the time, so answers waited for it`);
}

/** Users who are late to ask are fewer users: their pauses were longer than meant. */
function judgeSendLag({ client, profile }: Measurement): Check {
  const head = { id: 'send-lag', kind: 'innocence', title: 'Pauses longer than meant (mean)' } as const;
  if (isSaturating(profile)) return notChecked(head, 'users who never pause have no moment they mean to send at');
  const lag = decodeHistogram(client.sendLag);
  const lagMs = meanMs(lag);
  if (lagMs === undefined) return notChecked(head, 'nothing was sent in the measured window');
  const limitMs = (maxLagShare * (profile.thinkMs[0] + profile.thinkMs[1])) / 2;
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
  if (!isSaturating(measurement.profile)) {
    const [measured, limit] = [`p99 ${showMs(calibration.p99Ms)}`, `≤ ${showMs(limitMs)}`];
    if (calibration.p99Ms <= limitMs) return met(head, measured, limit);
    return broken({ ...head, onlySlows: true }, measured, limit, `client and machine alone already take ${measured}`);
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

/** The server's claims against the client's clock. */
function judgeServerTimes({ serverTimings, outsideServer }: Measurement): Check {
  const head = { id: 'server-agreement', kind: 'innocence', title: "The server's own times fit the client's" } as const;
  const count = serverTimings.reduce((sum, band) => sum + band.count, 0);
  if (count === 0) return notChecked(head, 'the server sent no Server-Timing');
  const impossible = serverTimings.reduce((sum, band) => sum + band.impossible, 0);
  const [measured, limit] = [`${showShare(impossible / count)} impossible`, '≤ 1 %'];
  if (impossible / count > 0.01) {
    return broken(
      head,
      measured,
      limit,
      `for ${showCount(impossible)} answers the server claims more time than passed between request and answer`,
    );
  }
  const outsideMs = percentileMs(decodeHistogram(outsideServer), 50) ?? 0;
  return met(head, `median ${showMs(outsideMs)} outside the server's clock`, limit);
}
