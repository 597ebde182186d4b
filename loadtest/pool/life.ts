import { showDuration } from '#lib/show.ts';
import { asked, fail, failOf, invalid, isGood, looks, notChecked, notSupported, pass, showReading, type Check } from './finding.ts';
import { mostOf, type Reading, type Recording } from './recording.ts';
import { lossLanes } from './suite.ts';

/** The longest that a connection is held on purpose, and what a busy machine adds. */
const longestHoldMs = 1_000;
const slackMs = 2_000;
const lastLooked = 100;

/** How connections come, go, and are given back. */
export const life: readonly Check[] = [
  {
    id: 'P8 overflow',
    title: 'A burst opens connections up to the most, and rest closes those beyond the size again',
    judge: (recording) => {
      const { settings } = recording;
      const counts = (stage: string): number[] => looks(recording, stage).flatMap(({ sessions }) => sessions?.length ?? []);
      const [burst, after] = [Math.max(0, ...counts('hold')), counts('shrink').at(-1)];
      if (after === undefined) return notChecked('no access to the database');
      const kept = settings.workers * settings.size;
      if (burst < mostOf(settings)) return invalid(`the burst opened ${burst} connections only, of ${mostOf(settings)}`);
      const says = `${burst} in the burst, ${after} after ${showDuration(settings.idleMs)} of rest (kept: ${kept})`;
      const last = looks(recording, 'shrink')
        .slice(-1)
        .map((one) => showReading(one, recording));
      if (after > kept) return fail(says, last);
      return after + endedByAge(recording, 'shrink') < kept ? fail(`${says}: too many were closed`, last) : pass(says);
    },
  },
  {
    id: 'P9 recycle',
    title: 'No connection at work is older than its lifetime',
    judge: (recording) => {
      const { recycleMs } = recording.settings;
      if (recycleMs === 0) return notSupported('connections have no lifetime (DB_POOL_RECYCLE=0)');
      const ages = recording.readings.flatMap(({ sessions }) =>
        (sessions ?? []).flatMap(({ state, ageMs }) => (state === 'idle' ? [] : ageMs)),
      );
      const [first, last] = [recording.readings[0], recording.readings.at(-1)];
      if (ages.length === 0 || !first || !last) return notChecked('no access to the database');
      if (last.atMs - first.atMs < recycleMs + longestHoldMs + slackMs)
        return notChecked(`the run was shorter than a lifetime of ${showDuration(recycleMs)}`);
      const oldest = ages.reduce((most, ageMs) => Math.max(most, ageMs), 0);
      const says = `the oldest at work was ${showDuration(oldest)} old (lifetime ${showDuration(recycleMs)})`;
      const isOld = ({ sessions }: Reading): boolean => (sessions ?? []).some(({ ageMs, state }) => state !== 'idle' && ageMs === oldest);
      if (oldest > recycleMs + longestHoldMs + slackMs)
        return fail(
          says,
          recording.readings.filter(isOld).map((one) => showReading(one, recording)),
        );
      const working = looks(recording, 'saturated');
      const opened = new Set(working.flatMap(({ sessions }) => (sessions ?? []).map(({ pid }) => pid))).size;
      if (opened > 2 * mostOf(recording.settings))
        return fail(
          `${opened} connections were opened within ${showDuration((working.at(-1)?.atMs ?? 0) - (working[0]?.atMs ?? 0))} of work`,
          working.slice(-1).map((one) => showReading(one, recording)),
        );
      return pass(says);
    },
  },
  {
    id: 'P10 leaks',
    title: 'After requests that were served, refused, failed and abandoned all connections are free',
    judge: (recording) => {
      const last = looks(recording, 'rest').at(-1);
      if (!last || last.inUse === null) return notChecked('the service does not tell its pool');
      const open = (last.sessions ?? []).filter(({ state }) => state === 'idle in transaction');
      const requests = asked(recording, 'leaks').length;
      if (last.inUse === 0 && (last.waiting ?? 0) === 0 && open.length === 0) return pass(`none in use after ${requests} requests`);
      return fail(`${last.inUse} connections are still in use, ${last.waiting ?? 0} requests wait, ${open.length} transactions are open`, [
        showReading(last, recording),
        ...firstHeld(recording),
      ]);
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
    judge: (recording) => {
      const { loss } = recording;
      if (loss === null || loss.sessions === 0) return notChecked('no session could be ended');
      const after = asked(recording, 'loss')
        .filter(({ endedMs }) => endedMs >= loss.atMs)
        .toSorted((a, b) => a.sentMs - b.sentMs);
      const failed = after.filter((one) => !isGood(one));
      const late = after.slice(-lastLooked).filter((one) => !isGood(one));
      if (late.length > 0)
        return failOf(
          recording,
          'loss',
          `${late.length} of the last ${lastLooked} requests failed, long after ${loss.sessions} sessions were ended`,
          late,
        );
      if (failed.length > lossLanes)
        return failOf(recording, 'loss', `${failed.length} requests failed, ${lossLanes} were under way`, failed);
      const dead = asked(recording, 'regained').filter((one) => !isGood(one));
      if (dead.length > 0)
        return failOf(recording, 'regained', `${dead.length} requests failed that were sent after sessions had ended`, dead);
      const hung = asked(recording, 'outage').filter(({ status }) => status === null);
      if (hung.length > 0) return failOf(recording, 'outage', `${hung.length} requests hung while the database let nobody in`, hung);
      const lost = asked(recording, 'returned').filter((one) => !isGood(one));
      if (lost.length > 0)
        return failOf(recording, 'returned', `${lost.length} requests failed when the database let everybody in again`, lost);
      const last = looks(recording, 'end').at(-1);
      if (last && (last.inUse ?? 0) > 0) return fail('connections are in use though nobody asks', [showReading(last, recording)]);
      return pass(`${loss.sessions} sessions ended, ${failed.length} requests failed; as before after an outage`);
    },
  },
];

/** Sessions that were seen in a stage, at an age that their lifetime ended before the next look, and not at its end. */
function endedByAge(recording: Recording, stage: string): number {
  const { recycleMs } = recording.settings;
  if (recycleMs === 0) return 0;
  const seen = looks(recording, stage).filter(({ sessions }) => sessions !== null);
  const last = seen.at(-1);
  const isLeft = (pid: number): boolean => (last?.sessions ?? []).some((one) => one.pid === pid);
  const ageAtEnd = new Map(
    seen.flatMap(({ sessions, atMs }, i) =>
      (sessions ?? []).map(({ pid, ageMs }) => [pid, ageMs + ((seen[i + 1]?.atMs ?? atMs) - atMs)] as const),
    ),
  );
  return [...ageAtEnd].filter(([pid, ageMs]) => !isLeft(pid) && ageMs >= recycleMs - earlyMs).length;
}

/** By how much a lifetime may end early: the session begins before the pool counts it. */
const earlyMs = 500;

/** The stage from whose end on connections were in use that never came back. */
function firstHeld(recording: Recording): string[] {
  const stuck = Object.keys(recording.stages).find((stage) => {
    const later = recording.readings.filter(({ atMs }) => atMs >= (recording.stages[stage]?.toMs ?? 0));
    return later.length > 0 && later.every(({ inUse }) => (inUse ?? 0) > 0);
  });
  return stuck === undefined ? [] : [`from ${stuck} on at least one was always in use`];
}
