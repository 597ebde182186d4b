import { showDuration } from '#lib/show.ts';
import { asked, fail, failOf, invalid, isGood, looks, notChecked, pass, showReading, type Check, type Finding } from './finding.ts';
import type { Exchange, Recording } from './recording.ts';
import { lossLanes } from './suite.ts';

const lastLooked = 100;

/** How connections are given back, and lost. */
export const loss: readonly Check[] = [
  {
    id: 'P10 leaks',
    title: 'After requests that were served, refused, failed, ended in an error of the service, and abandoned all connections are free',
    judge: (recording) => {
      const ends = ['rest', 'broken'].flatMap((stage) => looks(recording, stage).at(-1) ?? []);
      if (!ends.some(({ inUse }) => inUse !== null)) return notChecked('the service does not tell its pool');
      for (const last of ends) {
        const open = (last.sessions ?? []).filter(({ state }) => state === 'idle in transaction');
        if ((last.inUse ?? 0) > 0 || (last.waiting ?? 0) > 0 || open.length > 0)
          return fail(
            `${last.inUse} connections are still in use, ${last.waiting ?? 0} requests wait, ${open.length} transactions are open`,
            [showReading(last, recording), ...firstHeld(recording)],
          );
      }
      if (!asked(recording, 'broken').some(({ status }) => status === 500)) return invalid('no request could be made to end in a 500');
      return pass(`none in use after ${asked(recording, 'leaks').length + asked(recording, 'broken').length} requests`);
    },
  },
  {
    id: 'P11 nested-acquire',
    title: 'Twice as many transactions as connections at once all finish: none waits for a second connection',
    judge: (recording) => {
      const all = asked(recording, 'transactions');
      const failed = all.filter((one) => !isGood(one));
      if (failed.length > 0)
        return failOf(recording, 'transactions', `${failed.length} of ${all.length} transactions did not finish`, failed);
      return pass(`${all.length} finished within ${showDuration(Math.max(0, ...all.map(({ sentMs, endedMs }) => endedMs - sentMs)))}`);
    },
  },
  {
    id: 'P12 back-end-loss',
    title: 'Sessions that the database ends cost no more than what was under way, and are replaced',
    judge: (recording) => judgeLeft(recording) ?? judgeOutage(recording) ?? judgeLoss(recording),
  },
];

const failedIn = (recording: Recording, stage: string): Exchange[] => asked(recording, stage).filter((one) => !isGood(one));

/** What of it all is left in use; first of all, since no want of CPU makes it. */
function judgeLeft(recording: Recording): Finding | undefined {
  const last = looks(recording, 'end').at(-1);
  return last && (last.inUse ?? 0) > 0 ? fail('connections are in use though nobody asks', [showReading(last, recording)]) : undefined;
}

/** What is wrong when the database lets nobody in for a while; undefined when nothing is. */
function judgeOutage(recording: Recording): Finding | undefined {
  const hung = asked(recording, 'outage').filter(({ status }) => status === null);
  if (hung.length > 0) return failOf(recording, 'outage', `${hung.length} requests hung while the database let nobody in`, hung);
  const lost = failedIn(recording, 'returned');
  if (lost.length === 0) return undefined;
  return failOf(recording, 'returned', `${lost.length} requests failed when the database let everybody in again`, lost);
}

/** After an outage that took nothing with it. */
function judgeLoss(recording: Recording): Finding {
  const { loss: ended } = recording;
  if (ended === null || ended.sessions === 0) return notChecked('no session could be ended');
  const after = asked(recording, 'loss')
    .filter(({ endedMs }) => endedMs >= ended.atMs)
    .toSorted((a, b) => a.sentMs - b.sentMs);
  const failed = after.filter((one) => !isGood(one));
  const late = after.slice(-lastLooked).filter((one) => !isGood(one));
  if (late.length > 0) {
    const says = `${late.length} of the last ${lastLooked} requests failed, long after ${ended.sessions} sessions were ended`;
    return failOf(recording, 'loss', says, late);
  }
  if (failed.length > lossLanes) return failOf(recording, 'loss', `${failed.length} requests failed, ${lossLanes} were under way`, failed);
  const dead = failedIn(recording, 'regained');
  if (dead.length > 0) return failOf(recording, 'regained', `${dead.length} requests failed that were sent after sessions had ended`, dead);
  return pass(`${ended.sessions} sessions ended, ${failed.length} requests failed; as before after an outage`);
}

/** The stage from whose end on connections were in use that never came back. */
function firstHeld(recording: Recording): string[] {
  const stuck = Object.keys(recording.stages).find((stage) => {
    const later = recording.readings.filter(({ atMs }) => atMs >= (recording.stages[stage]?.toMs ?? 0));
    return later.length > 0 && later.every(({ inUse }) => (inUse ?? 0) > 0);
  });
  return stuck === undefined ? [] : [`from ${stuck} on at least one was always in use`];
}
