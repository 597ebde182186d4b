import { showDuration, showTime, writeDuration } from '#lib/show.ts';
import type { Moment } from '../model/look.ts';
import type { Heard } from './beats.ts';
import { duration, orNever } from './fields.ts';
import { MonitorFaultError, probeKind, type ProbeReport } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

const longestMs = 90 * 86_400_000;

export type HeartbeatTarget = {
  /** From one good end to the next, and how much later it may come, in ms. */
  readonly every: number;
  readonly grace: number;
  /** From a start to its end, in ms. */
  readonly longest: number;
};

export const heartbeatKind = probeKind({
  kind: 'heartbeat',
  schema: {
    every: duration(1_000, longestMs).describe('How often the job says that it has ended well, at its secret address.'),
    grace: duration(0, longestMs).prefault('5m').describe('How much later it may come.'),
    longest: orNever(1_000).prefault('never').describe('Longest time from its start to its end, where it says when it starts.'),
  },
  create: ({ every, grace, longest, name }, { beats }) => {
    const target = { every, grace, longest };
    return async () => judgeHeartbeat(target, beats.of(name), { now: beats.now(), listeningSince: beats.listeningSince });
  },
  describe: ({ every, grace }) => `every ${writeDuration(every)}, ${writeDuration(grace)} of grace`,
});

const nextStep: Sentence = { code: 'seeJob' };

/**
 * What a job has said, or not said, of itself. What was due while this process did not listen yet may have been said to nobody: the
 * monitor cannot tell, until it has listened for as long as a job may be silent. Pure.
 * @throws {MonitorFaultError}
 */
export function judgeHeartbeat(
  { every, grace, longest }: HeartbeatTarget,
  heard: Heard,
  { now, listeningSince }: { readonly now: Moment; readonly listeningSince: Moment },
): ProbeReport {
  const last = heard.doneAt === undefined ? 'it has never said that it ended well' : `it ended well at ${showTime(heard.doneAt)}`;
  if (heard.failedAt !== undefined) {
    const how = heard.exitCode === undefined ? 'failed' : `ended with code ${heard.exitCode}`;
    return { outcome: 'failed', detail: `it ${how} at ${showTime(heard.failedAt)}; before that ${last}`, nextStep };
  }
  const ranMs = heard.startedMs === undefined ? 0 : now.clockMs - heard.startedMs;
  if (ranMs > longest) {
    return { outcome: 'failed', detail: `it has run for ${showDuration(ranMs)}, longer than ${showDuration(longest)}`, nextStep };
  }
  const silentMs = now.clockMs - heard.waitingSinceMs;
  if (silentMs <= every + grace) return { outcome: 'ok', detail: heard.doneAt === undefined ? 'it is waited for' : last };
  const dueMs = heard.waitingSinceMs + every + grace;
  if (dueMs < listeningSince.clockMs && now.clockMs <= listeningSince.clockMs + every + grace) {
    throw new MonitorFaultError(`${last}; it was due while the monitor did not run, so nobody knows`);
  }
  return { outcome: 'failed', detail: `${last}, ${showDuration(silentMs)} ago; it is due every ${showDuration(every)}`, nextStep };
}
