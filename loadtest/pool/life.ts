import { showDuration } from '#lib/show.ts';
import {
  fail,
  failUnlessExhausted,
  invalid,
  looks,
  notChecked,
  notSupported,
  pass,
  showReading,
  type Check,
  type Finding,
} from './finding.ts';
import { mostOf, type Reading, type Recording } from './recording.ts';

/** The longest that a connection is held on purpose, and what a busy machine adds. */
const longestHoldMs = 1_000;
const slackMs = 2_000;

/** How connections come and go. */
export const life: readonly Check[] = [
  {
    id: 'P8 overflow',
    title: 'A burst opens connections up to the most, no more of them one after the other, and rest closes those beyond the size again',
    judge: (recording) => {
      const { settings } = recording;
      const counts = (stage: string): number[] => looks(recording, stage).flatMap(({ sessions }) => sessions?.length ?? []);
      const [burst, after] = [Math.max(0, ...counts('hold')), counts('shrink').at(-1)];
      if (after === undefined) return notChecked('no access to the database');
      const kept = settings.workers * settings.size;
      if (burst < mostOf(settings)) return invalid(`the burst opened ${burst} connections only, of ${mostOf(settings)}`);
      const storm = judgeStorm(recording);
      if (storm) return storm;
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
];

/** What is wrong with how many connections the burst opened one after the other, by the database's count; undefined when nothing is. */
function judgeStorm(recording: Recording): Finding | undefined {
  const { settings } = recording;
  const told = looks(recording, 'hold').filter((look) => look.opened !== null);
  const [first, last] = [told.at(0), told.at(-1)];
  const opened = (last?.opened ?? 0) - (first?.opened ?? 0);
  // Of others one holds the lock, and each process may ask for its health.
  const allowed = mostOf(settings) + 1 + settings.workers;
  if (opened <= allowed) return undefined;
  const says = `${opened} connections were opened in the burst, for at most ${mostOf(settings)} at once`;
  const seen = [last, first].flatMap((one) => (one ? `${one.opened} sessions begun until then; ${showReading(one, recording)}` : []));
  // Without CPU each may have come too late for who asked, and been opened once more.
  return opened > allowed + mostOf(settings) ? fail(says, seen) : failUnlessExhausted(recording, 'hold', says, seen);
}

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
