import { showDuration } from '#lib/show.ts';
import { asked, fail, invalid, isGood, looks, notChecked, notSupported, pass, showExchange, showReading, type Check } from './finding.ts';
import { mostOf, type Recording } from './recording.ts';
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
      return after <= kept ? pass(says) : fail(says, last);
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
      const oldest = Math.max(...ages);
      const says = `the oldest at work was ${showDuration(oldest)} old (lifetime ${showDuration(recycleMs)})`;
      return oldest <= recycleMs + longestHoldMs + slackMs ? pass(says) : fail(says);
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
      if (failed.length > 0) return fail(`${failed.length} of ${all.length} transactions did not finish`, failed.map(showExchange));
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
        return fail(
          `${late.length} of the last ${lastLooked} requests failed, long after ${loss.sessions} sessions were ended`,
          late.map(showExchange),
        );
      if (failed.length > lossLanes) return fail(`${failed.length} requests failed, ${lossLanes} were under way`, failed.map(showExchange));
      return pass(`${loss.sessions} sessions ended, ${failed.length} requests failed`);
    },
  },
];

/** The stage from whose end on connections were in use that never came back. */
function firstHeld(recording: Recording): string[] {
  const stuck = Object.keys(recording.stages).find((stage) => {
    const later = recording.readings.filter(({ atMs }) => atMs >= (recording.stages[stage]?.toMs ?? 0));
    return later.length > 0 && later.every(({ inUse }) => (inUse ?? 0) > 0);
  });
  return stuck === undefined ? [] : [`from ${stuck} on at least one was always in use`];
}
