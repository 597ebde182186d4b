import { showDuration, showShare } from '#lib/show.ts';
import {
  asked,
  completedPerSecond,
  fail,
  failOf,
  failUnlessExhausted,
  goodput,
  invalid,
  isGood,
  latenessIn,
  looks,
  mean,
  middleOf,
  notChecked,
  overlap,
  pass,
  percentile,
  showExchange,
  showReading,
  type Check,
} from './finding.ts';
import { mostOf, type Recording } from './recording.ts';

/** What the service is meant to keep at p99, and how much of it may be waiting for a connection. */
const sloP99Ms = 500;
const waitShare = 0.1;
const lawTolerance = 0.1;

/** How much of the pool is used, and that the figures agree with each other. */
export const bounds: readonly Check[] = [
  {
    id: 'P1 hard-cap',
    title: 'The pools never have more connections than they may, and at saturation all of them',
    judge: (recording) => {
      const most = mostOf(recording.settings);
      const isOver = ({ inUse, sessions }: Recording['readings'][number]): boolean => (inUse ?? 0) > most || (sessions?.length ?? 0) > most;
      // A session that is closed while its successor opens is there for a moment.
      const over = recording.readings.filter((reading, i, all) => isOver(reading) && isOver(all[i - 1] ?? reading));
      if (over.length > 0)
        return fail(
          `more than ${most} connections in ${over.length} looks`,
          over.map((one) => showReading(one, recording)),
        );
      const told = looks(recording, 'hold').filter(({ capacity }) => capacity !== null);
      if (told.length > 0 && told.every(({ capacity }) => capacity !== most))
        return fail(
          `the pools may open ${told[0]?.capacity} connections, they are set to ${most}`,
          told.map((one) => showReading(one, recording)),
        );
      const used = Math.max(0, ...recording.readings.map(({ inUse }) => inUse ?? 0));
      if (used < most) return invalid(`at most ${used} of ${most} connections were in use: the pools were never full`);
      return pass(`at most ${used} in use, of ${most}`);
    },
  },
  {
    id: 'P2 little',
    title: 'Connections in use = completed a second × time each was held (Little’s law: a check of the instruments)',
    judge: (recording) => {
      const middle = middleOf(recording, 'steady');
      const used = looks(recording, 'steady').flatMap(({ atMs, inUse }) =>
        atMs >= middle.fromMs && atMs < middle.toMs ? (inUse ?? []) : [],
      );
      const held = asked(recording, 'steady', 'slow').flatMap(({ endedMs, holdMs }) =>
        holdMs === null ? [] : overlap(endedMs - holdMs, endedMs, middle),
      );
      if (used.length === 0 || held.length === 0) return notChecked('the service tells neither its pool nor its times');
      const law = held.reduce((sum, ms) => sum + ms, 0) / (middle.toMs - middle.fromMs);
      const says = `${mean(used).toFixed(2)} in use on average, by the law ${law.toFixed(2)}`;
      return Math.abs(mean(used) - law) <= lawTolerance * mean(used) ? pass(says) : invalid(`${says}: something is not measured rightly`);
    },
  },
  {
    id: 'P3 utilisation',
    title: 'With half of the connections in use nobody waits for one',
    judge: (recording) => {
      const all = asked(recording, 'steady', 'slow');
      const failed = all.filter((one) => !isGood(one));
      if (failed.length > 0)
        return failOf(recording, 'steady', `${failed.length} of ${all.length} requests failed with half of the pool free`, failed);
      // The first ones may have to open a connection.
      const { fromMs } = middleOf(recording, 'steady');
      const waits = all.flatMap(({ sentMs, waitMs }) => (sentMs < fromMs ? [] : (waitMs ?? [])));
      if (waits.length === 0) return notChecked('the service does not tell how long requests wait for a connection');
      const [p99, allowedMs, lateMs] = [percentile(waits, 0.99), waitShare * sloP99Ms, 2 * latenessIn(recording, 'steady')];
      const says = `p99 of the wait ${showDuration(p99)} (allowed ${showDuration(allowedMs)}, a tenth of the p99 limit)`;
      if (p99 <= allowedMs) return pass(says);
      if (p99 <= allowedMs + lateMs) return invalid(`${says}, but client and machine were late too (${showDuration(lateMs)})`);
      return failUnlessExhausted(recording, 'steady', says, all.filter(({ waitMs }) => (waitMs ?? 0) >= p99).map(showExchange));
    },
  },
  {
    id: 'P4 closed-loop',
    title: 'Clients without pauses wait as long as the law of closed loops says, and no more is done than the pools allow',
    judge: (recording) => {
      const most = mostOf(recording.settings);
      const { fromMs, toMs } = middleOf(recording, 'saturated');
      const all = asked(recording, 'saturated', 'slow').filter(({ sentMs, endedMs }) => endedMs > fromMs && sentMs < toMs);
      if (!all.some(isGood))
        return failOf(recording, 'saturated', 'nothing was completed with one and a half times as many clients as connections', all);
      const perSecond = completedPerSecond(recording, 'saturated', all);
      const holds = all.flatMap(({ holdMs }) => holdMs ?? []);
      const [lawMs, seenMs] = [(1_500 * most) / perSecond, mean(all.map(({ sentMs, endedMs }) => endedMs - sentMs))];
      const allowed = holds.length === 0 ? Infinity : ((1_000 * most) / mean(holds)) * (1 + lawTolerance);
      const says = `${goodput(recording, 'saturated').toFixed(1)}/s, ${showDuration(seenMs)} on average, by the law ${showDuration(lawMs)}`;
      if (goodput(recording, 'saturated') > allowed)
        return invalid(`${says}: more than ${allowed.toFixed(1)}/s is impossible, so something is not measured rightly`);
      const off = Math.abs(seenMs - lawMs) / lawMs;
      return off <= 2 * lawTolerance ? pass(says) : invalid(`${says}: ${showShare(off)} apart`);
    },
  },
  {
    id: 'P5 size',
    title: 'The pool is as large as it has to be',
    judge: () => notChecked('npm run loadtest -- size-pool measures that; here the pools are small on purpose'),
  },
];
