import type { Health, HealthStatus, Moment, ProbeResult, Thresholds, Verdict } from '../model/look.ts';

const recentKept = 60;
const turnsKept = 20;

/** Health before the first look of this process, with the verdict an earlier process left. */
export function initialHealth(verdict: Verdict, since: Moment): Health {
  return {
    verdict,
    since,
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

/**
 * Health as the process before left it. An outage goes on since it began; but nobody looked while no monitor ran, so a
 * target is up or degraded only from now on, and one that came and went has to settle anew.
 */
export function inheritedHealth(
  left: { readonly verdict: Verdict; readonly since: number } | undefined,
  wasFlapping: boolean,
  now: Moment,
): Health {
  const since = left?.verdict === 'down' ? { at: left.since, clockMs: now.clockMs } : now;
  return { ...initialHealth(left?.verdict ?? 'none', since), turnsMs: wasFlapping ? [now.clockMs] : [] };
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
