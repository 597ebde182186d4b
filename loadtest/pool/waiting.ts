import { showDuration } from '#lib/show.ts';
import {
  asked,
  fail,
  goodput,
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
} from './finding.ts';
import { mostOf, type Exchange, type Recording } from './recording.ts';

const earlyMs = 50;
const answerWithinMs = 200;
const keptShare = 0.8;

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
      if (refused.length === 0) return fail(`all requests were served while ${short} of them could have no connection`);
      const problemOf = (one: Exchange, lateMs: number) => refusalProblem(one, timeoutMs, lateMs);
      // The machine is as late as its client, once on either side.
      const lateMs = 2 * latenessIn(recording, 'hold');
      for (const problem of ['wrong', 'early', 'bare', 'late'] as const) {
        const such = refused.filter((one) => problemOf(one, lateMs) === problem);
        if (such.length > 0)
          return fail(`${such.length} of ${refused.length} ${says[problem]} (${showDuration(timeoutMs)})`, such.map(showExchange));
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
    id: 'P7 fail-fast',
    title: 'In overload as much is done as before, and afterwards all is as it was',
    judge: (recording) => {
      const [before, during] = [goodput(recording, 'saturated'), goodput(recording, 'overload')];
      const rates = `${during.toFixed(1)}/s of ${before.toFixed(1)}/s in overload`;
      if (before === 0) return invalid('nothing was done before the overload');
      if (during < keptShare * before) return fail(`${rates}: it collapses`);
      const hung = asked(recording, 'overload').filter(({ status }) => status === null || (status >= 500 && status !== 503));
      if (hung.length > 0)
        return fail(`${hung.length} requests in overload were neither served nor refused with 503`, hung.map(showExchange));
      const failed = asked(recording, 'recovery').filter((one) => !isGood(one));
      if (failed.length > 0) return fail(`${failed.length} requests failed when the overload was over`, failed.map(showExchange));
      const last = looks(recording, 'recovery').at(-1);
      if (last && (last.waiting ?? 0) > 0) return fail('requests still wait when the overload is over', [showReading(last, recording)]);
      return pass(`${rates}; recovered`);
    },
  },
  {
    id: 'P13 fairness',
    title: 'Quick requests wait for a connection no longer than slow ones',
    judge: (recording) => {
      const waits = (kind: 'quick' | 'slow'): number[] => asked(recording, 'saturated', kind).flatMap(({ waitMs }) => waitMs ?? []);
      const starved = starvedOf(recording);
      if (starved.length > 0)
        return fail(`${starved.length} quick requests got no connection while slow ones did`, starved.map(showExchange));
      if (waits('quick').length === 0 || waits('slow').length === 0)
        return notChecked('the service does not tell how long requests wait for a connection');
      const [quick, slow] = [percentile(waits('quick'), 0.99), percentile(waits('slow'), 0.99)];
      const measured = `p99 of the wait: quick ${showDuration(quick)}, slow ${showDuration(slow)}`;
      return quick <= 3 * slow + earlyMs ? pass(measured) : fail(measured);
    },
  },
];

/** Quick requests that failed in a stage in which most slow ones did not. */
function starvedOf(recording: Recording): Exchange[] {
  const slow = asked(recording, 'saturated', 'slow');
  return slow.filter(isGood).length > slow.length / 2 ? asked(recording, 'saturated', 'quick').filter((one) => !isGood(one)) : [];
}
