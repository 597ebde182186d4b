import type { Health, HealthStatus, Moment, ProbeResult, Thresholds, Verdict } from '../model/look.ts';

const recentKept = 60;
const turnsKept = 20;

/** Health before the first look of this process, with the verdict an earlier process left. */
export function initialHealth(verdict: Verdict, since: Moment): Health {
  return {
    verdict,
    since,
    backSince: undefined,
    failures: 0,
    successes: 0,
    failingSince: undefined,
    awaitedSince: undefined,
    conclusiveAt: undefined,
    fault: undefined,
    faultySince: undefined,
    turnsMs: [],
    recent: [],
  };
}

/** What the process before left of a target. Times: ms of the epoch. */
export type LeftHealth = {
  readonly health: { readonly verdict: Verdict; readonly since: number } | undefined;
  readonly wasFlapping: boolean;
  /** When its last outage that is over ended. */
  readonly backAt: number | undefined;
};

/**
 * Health as the process before left it. An outage goes on since it began; but nobody looked while no monitor ran, so a
 * target is up or degraded only from now on, and one that came and went has to settle anew. How long it has been back is known by the
 * clock of the machine alone: a time that has not come yet is now.
 */
export function inheritedHealth({ health: left, wasFlapping, backAt }: LeftHealth, now: Moment): Health {
  const since = left?.verdict === 'down' ? { at: left.since, clockMs: now.clockMs } : now;
  const backSince = backAt === undefined ? undefined : { at: backAt, clockMs: now.clockMs - Math.max(0, now.at - backAt) };
  return { ...initialHealth(left?.verdict ?? 'none', since), backSince, turnsMs: wasFlapping ? [now.clockMs] : [] };
}

/** Before the first look of a process an inherited verdict is not shown: nobody has looked yet. */
export function statusOf(health: Health): HealthStatus {
  if (health.verdict === 'none' || health.fault !== undefined || health.recent.length === 0) return 'unknown';
  return health.verdict;
}

/**
 * Folds one result into the health. A failure below the threshold changes no verdict; a fault changes neither verdict
 * nor streak; the first answer ever settles at once. Pure.
 */
export function foldResult(health: Health, result: ProbeResult, thresholds: Thresholds): Health {
  const moment: Moment = { at: result.at, clockMs: result.clockMs };
  const recent = [...health.recent.slice(1 - recentKept), result];
  if (result.outcome === 'faulty') return { ...health, fault: result.detail, faultySince: health.faultySince ?? moment, recent };
  const isFailure = result.outcome === 'failed';
  const failures = isFailure ? health.failures + 1 : 0;
  const successes = isFailure ? 0 : health.successes + 1;
  const verdict = settledVerdict(health.verdict, result.outcome, { failures, successes }, thresholds);
  return {
    verdict,
    since: verdict === health.verdict ? health.since : moment,
    backSince: health.verdict === 'down' && verdict !== 'down' ? moment : health.backSince,
    failures,
    successes,
    failingSince: isFailure ? (health.failingSince ?? moment) : undefined,
    awaitedSince: isFailure || verdict === 'down' ? health.awaitedSince : undefined,
    conclusiveAt: moment,
    fault: undefined,
    faultySince: undefined,
    turnsMs: isTurn(health.verdict, verdict) ? [...health.turnsMs, result.clockMs].slice(-turnsKept) : health.turnsMs,
    recent,
  };
}

/** Whether a target went down or came back. One that is found down at first, as while a stack starts, has not gone down. */
const isTurn = (was: Verdict, is: Verdict): boolean => was !== 'none' && (was === 'down') !== (is === 'down');

function settledVerdict(
  current: Verdict,
  outcome: 'ok' | 'degraded' | 'failed',
  streak: { readonly failures: number; readonly successes: number },
  thresholds: Thresholds,
): Verdict {
  if (outcome === 'failed') return streak.failures >= thresholds.failures ? 'down' : current;
  if (current === 'down' && streak.successes < thresholds.successes) return 'down';
  return outcome === 'ok' ? 'up' : 'degraded';
}

/** True while the next look should come soon: a streak is under way that has not settled yet. */
export function isUnsettled(health: Health): boolean {
  return health.verdict === 'down' ? health.successes > 0 : health.failures > 0;
}
