import { showDuration } from '#lib/show.ts';
import {
  asked,
  fail,
  failOf,
  failUnlessExhausted,
  goodput,
  invalid,
  isGood,
  latenessIn,
  looks,
  pass,
  percentile,
  showExchange,
  showReading,
  type Check,
  type Finding,
} from './finding.ts';
import type { Recording } from './recording.ts';

const keptShare = 0.8;
/** How much longer quick requests may take after an overload than before it, and what a machine adds to either. */
const recoveredShare = 1.2;
const slackMs = 50;

/** What becomes of a pool that is asked for more than it has. */
export const overload: readonly Check[] = [
  {
    id: 'P7 fail-fast',
    title: 'In overload as much is done as before, and afterwards all is as it was, and as fast',
    judge: (recording) => {
      const [before, during] = [goodput(recording, 'saturated'), goodput(recording, 'overload')];
      const rates = `${during.toFixed(1)}/s of ${before.toFixed(1)}/s in overload`;
      if (before === 0) return invalid('nothing was done before the overload');
      if (during < keptShare * before) {
        const refused = asked(recording, 'overload').filter((one) => !isGood(one));
        return failUnlessExhausted(recording, 'overload', `${rates}: it collapses`, refused.map(showExchange));
      }
      const hung = asked(recording, 'overload').filter(({ status }) => status === null || (status >= 500 && status !== 503));
      if (hung.length > 0)
        return failOf(recording, 'overload', `${hung.length} requests in overload were neither served nor refused with 503`, hung);
      const failed = asked(recording, 'recovery').filter((one) => !isGood(one));
      if (failed.length > 0) return failOf(recording, 'recovery', `${failed.length} requests failed when the overload was over`, failed);
      const last = looks(recording, 'recovery').at(-1);
      if (last && (last.waiting ?? 0) > 0) return fail('requests still wait when the overload is over', [showReading(last, recording)]);
      return judgeAfterwards(recording, rates);
    },
  },
];

/** Quick requests when the overload is over, held against those before it, which had connections free too. */
function judgeAfterwards(recording: Recording, rates: string): Finding {
  const p99 = (stage: string): number =>
    percentile(
      asked(recording, stage, 'quick').map(({ sentMs, endedMs }) => endedMs - sentMs),
      0.99,
    );
  const [before, after, lateMs] = [p99('mixed'), p99('recovery'), 2 * latenessIn(recording, 'recovery')];
  const found = `${rates}; p99 of quick requests ${showDuration(before)} before it, ${showDuration(after)} after it`;
  const allowedMs = recoveredShare * before + slackMs;
  if (after <= allowedMs) return pass(found);
  const longest = asked(recording, 'recovery', 'quick').toSorted((a, b) => b.endedMs - b.sentMs - (a.endedMs - a.sentMs));
  if (after <= allowedMs + lateMs)
    return invalid(`${found}, but this client was late too (${showDuration(lateMs)})`, longest.map(showExchange));
  return failUnlessExhausted(recording, 'recovery', found, longest.map(showExchange));
}
