import { showDuration } from '#lib/show.ts';
import {
  asked,
  fail,
  failOf,
  failUnlessExhausted,
  invalid,
  isGood,
  latenessIn,
  looks,
  notChecked,
  pass,
  percentile,
  showExchange,
  showReading,
  type Check,
  type Finding,
} from './finding.ts';
import { mostOf, type Exchange, type Reading, type Recording } from './recording.ts';

const earlyMs = 50;
const answerWithinMs = 200;

/** What is wrong with the answer to a request that got no connection; undefined when nothing is. */
function refusalProblem(
  { status, retryAfter, sentMs, endedMs }: Exchange,
  timeoutMs: number,
  lateMs: number,
): 'wrong' | 'early' | 'late' | 'bare' | undefined {
  const tookMs = endedMs - sentMs;
  if (status !== 503) return 'wrong';
  if (tookMs < timeoutMs - earlyMs) return 'early';
  if (tookMs > timeoutMs + answerWithinMs + lateMs) return 'late';
  return /^[1-9]\d*$/.test(retryAfter ?? '') ? undefined : 'bare';
}

const says = {
  wrong: 'were answered otherwise than 503, or not at all',
  early: 'were refused before the acquire timeout',
  late: 'were refused long after the acquire timeout',
  bare: 'were refused without Retry-After',
} as const;

/** What becomes of requests when no connection is free. */
export const waiting: readonly Check[] = [
  {
    id: 'P6 acquire-timeout',
    title: 'Who gets no connection in time is answered 503 with Retry-After, within 200 ms of the acquire timeout',
    judge: (recording) => {
      const { timeoutMs } = recording.settings;
      const refused = asked(recording, 'hold').filter((one) => !isGood(one));
      const short = asked(recording, 'hold').length - mostOf(recording.settings);
      if (refused.length === 0)
        return fail(
          `all requests were served while ${short} of them could have no connection`,
          asked(recording, 'hold').slice(-short).map(showExchange),
        );
      const problemOf = (one: Exchange, lateMs: number) => refusalProblem(one, timeoutMs, lateMs);
      // The machine is as late as its client, once on either side.
      const lateMs = 2 * latenessIn(recording, 'hold');
      for (const problem of ['wrong', 'early', 'bare', 'late'] as const) {
        const such = refused.filter((one) => problemOf(one, lateMs) === problem);
        const [said, shown] = [`${such.length} of ${refused.length} ${says[problem]} (${showDuration(timeoutMs)})`, such.map(showExchange)];
        if (such.length > 0) return problem === 'late' ? failUnlessExhausted(recording, 'hold', said, shown) : fail(said, shown);
      }
      const doubtful = refused.filter((one) => problemOf(one, 0) === 'late');
      if (doubtful.length > 0)
        return invalid(
          `${doubtful.length} refusals came late, but so did this client (${showDuration(lateMs)})`,
          doubtful.map(showExchange),
        );
      return pass(`${refused.length} refused within ${showDuration(Math.max(...refused.map(({ sentMs, endedMs }) => endedMs - sentMs)))}`);
    },
  },
  {
    id: 'P13 fairness',
    title: 'Quick requests wait for a connection no longer than slow ones, and not at all because of them while some are free',
    judge: (recording) => {
      const waits = (kind: 'quick' | 'slow'): number[] => asked(recording, 'saturated', kind).flatMap(({ waitMs }) => waitMs ?? []);
      const overtaken = longestNest(recording);
      if (overtaken.length > recording.settings.workers)
        return fail(
          `${overtaken.length} requests waited each within the wait of the one before, in ${recording.settings.workers} queues: who came last was served first`,
          overtaken.map(showExchange),
        );
      const starved = starvedOf(recording);
      if (starved.length > 0)
        return failOf(recording, 'saturated', `${starved.length} quick requests got no connection while slow ones did`, starved);
      if (waits('quick').length === 0 || waits('slow').length === 0)
        return notChecked('the service does not tell how long requests wait for a connection');
      const [quick, slow] = [percentile(waits('quick'), 0.99), percentile(waits('slow'), 0.99)];
      const measured = `p99 of the wait: quick ${showDuration(quick)}, slow ${showDuration(slow)}`;
      if (quick <= 3 * slow + earlyMs) return judgeBeside(recording, measured);
      const longest = asked(recording, 'saturated', 'quick').filter(({ waitMs }) => (waitMs ?? 0) >= quick);
      return failUnlessExhausted(recording, 'saturated', measured, longest.map(showExchange));
    },
  },
  {
    id: 'P14 health',
    title: 'While all connections are lent out the health check says so, and not that the database is down',
    judge: (recording) => {
      const seen = ['hold', 'saturated', 'overload'].flatMap((stage) => looks(recording, stage)).filter(({ health }) => health !== null);
      if (seen.length === 0) return notChecked('no health check was answered');
      const shown = (which: readonly Reading[]): string[] => which.map((one) => `${showReading(one, recording)}: ${showHealth(one)}`);
      const { size, overflow } = recording.settings;
      const wrong = seen.filter(
        ({ health }) => ![null, undefined, size + overflow].includes(health?.capacity) || (health?.lent ?? 0) > size + overflow,
      );
      if (wrong.length > 0) return fail(`the pool of a process is told wrongly: it may open ${size + overflow}`, shown(wrong));
      const down = seen.filter(({ health }) => health?.status !== 200);
      const [first] = down;
      if (!first) return pass(`${seen.length} answers of 200`);
      return failUnlessExhausted(recording, first.stage, 'a busy pool is told as a service that is down', shown(down));
    },
  },
];

/** Quick requests beside slow ones while connections are free, held against quick ones alone. */
function judgeBeside(recording: Recording, measured: string): Finding {
  const quick = (stage: string): Exchange[] => asked(recording, stage, 'quick').filter(({ waitMs }) => waitMs !== null);
  const p99 = (stage: string): number =>
    percentile(
      quick(stage).flatMap(({ waitMs }) => waitMs ?? []),
      0.99,
    );
  const [beside, alone, lateMs] = [p99('mixed'), p99('recovery'), 2 * latenessIn(recording, 'mixed')];
  const found = `${measured}; with connections free ${showDuration(beside)} beside slow ones, ${showDuration(alone)} alone`;
  const allowedMs = 3 * alone + earlyMs;
  if (beside <= allowedMs) return pass(found);
  const longest = quick('mixed').toSorted((a, b) => (b.waitMs ?? 0) - (a.waitMs ?? 0));
  if (beside <= allowedMs + lateMs)
    return invalid(`${found}, but this client was late too (${showDuration(lateMs)})`, longest.map(showExchange));
  return failUnlessExhausted(recording, 'mixed', found, longest.map(showExchange));
}

const showHealth = ({ health }: Reading): string =>
  `/health_check ${health?.status}, ${health?.lent ?? '?'} of ${health?.capacity ?? '?'} lent out`;

/** When a request asked for a connection at the latest, and when it had one at the earliest and at the latest. */
type Wait = { readonly exchange: Exchange; readonly askedByMs: number; readonly hadFromMs: number; readonly hadByMs: number };

/** From moments that the client knows and durations that the service tells: their clocks need not agree. */
function waitsIn(recording: Recording, stage: string): Wait[] {
  const { timeoutMs } = recording.settings;
  return asked(recording, stage, 'slow').flatMap((exchange): Wait[] => {
    const { status, sentMs, endedMs, waitMs, holdMs } = exchange;
    if (isGood(exchange) && waitMs !== null && holdMs !== null)
      return [{ exchange, askedByMs: endedMs - holdMs - waitMs, hadFromMs: sentMs + waitMs, hadByMs: endedMs - holdMs }];
    const isRefused = status === 503 && endedMs - sentMs >= timeoutMs;
    return isRefused ? [{ exchange, askedByMs: endedMs - timeoutMs, hadFromMs: sentMs + timeoutMs, hadByMs: Infinity }] : [];
  });
}

/**
 * The longest row of requests each of which certainly asked for a connection after the one before and certainly had it first. A queue
 * that serves in order has no such pair, so that a row needs as many queues as it has members.
 */
function longestNest(recording: Recording): readonly Exchange[] {
  const rows: Wait[][] = [];
  for (const inner of waitsIn(recording, 'line').toSorted((a, b) => a.exchange.sentMs - b.exchange.sentMs)) {
    const around = rows.filter((row) => {
      const outer = row.at(-1) as Wait;
      return outer.askedByMs < inner.exchange.sentMs && inner.hadByMs < outer.hadFromMs;
    });
    rows.push([...(around.toSorted((a, b) => b.length - a.length)[0] ?? []), inner]);
  }
  const [longest = []] = rows.toSorted((a, b) => b.length - a.length);
  return longest.map(({ exchange }) => exchange);
}

/**
 * Quick requests that failed in a stage in which most slow ones did not. Where a slow one that was sent at the same moment failed too, as
 * in a process that has more than its part of the clients, none was preferred.
 */
function starvedOf(recording: Recording): Exchange[] {
  const slow = asked(recording, 'saturated', 'slow');
  const refused = slow.filter((one) => !isGood(one));
  if (refused.length >= slow.length / 2) return [];
  const isShared = (one: Exchange): boolean => refused.some(({ sentMs }) => Math.abs(sentMs - one.sentMs) <= earlyMs);
  return asked(recording, 'saturated', 'quick').filter((one) => !isGood(one) && !isShared(one));
}
