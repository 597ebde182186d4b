import type { TargetSnapshot } from '../health/watch.ts';
import type { Incident } from '../model/incident.ts';

/** A target that is restarted when it hangs. */
export type Action = {
  readonly target: string;
  /** Admin listener of the API behind it, which drains and ends it; whoever runs it starts it again. */
  readonly admin: URL;
  /** `dry-run`: everything but the drain itself. */
  readonly mode: 'dry-run' | 'act';
};

/** Restarts of all targets together, within an hour; what these do not mend a person must. */
export const mostInAnHour = 3;
export const hourMs = 3_600_000;
/** From one restart to the next, so that its effect is seen. */
export const coolDownMs = 120_000;

export type RestartDecision =
  | { readonly do: 'restart'; readonly incident: Incident }
  /** It hangs still, and the restarts of this hour are used up. */
  | { readonly do: 'call'; readonly incident: Incident }
  /**
   * `well`: no outage of it has been told: it is up, or its outage is another one's, held back or not certain yet. `acknowledged`:
   * somebody has taken it on. `quiet`: a silence or planned work, as of a release. `answers`: it does not hang: it answers, or nothing
   * runs there. `elsewhere`: a database, Redis, a disk or what it stands on is not well either. `cooling`: one was restarted just now.
   */
  | {
      readonly do: 'leave';
      readonly reason: 'well' | 'acknowledged' | 'quiet' | 'answers' | 'elsewhere' | 'cooling';
    };

export type RestartQuestion = {
  readonly action: Pick<Action, 'target'>;
  readonly targets: readonly TargetSnapshot[];
  /** When targets were restarted, in ms of the clock that never jumps. */
  readonly restartsMs: readonly number[];
  readonly nowMs: number;
};

/** Kinds whose trouble no restart of a program mends. */
const grounds: ReadonlySet<string> = new Set(['postgres', 'redis', 'disk']);

/** Whether a target is to be restarted now. Pure. */
export function decideRestart({ action, targets, restartsMs, nowMs }: RestartQuestion): RestartDecision {
  const target = targets.find(({ name }) => name === action.target);
  const incident = target?.incidents.find(({ kind, firedAt }) => kind === 'down' && firedAt !== undefined);
  if (!target || !incident || target.status !== 'down') return { do: 'leave', reason: 'well' };
  if (incident.acknowledged) return { do: 'leave', reason: 'acknowledged' };
  if (target.quiet || incident.heldBy !== undefined) return { do: 'leave', reason: 'quiet' };
  if (!hangs(target)) return { do: 'leave', reason: 'answers' };
  const stands = new Set(target.dependsOn.flat());
  const isElsewhere = targets.some(
    ({ name, kind, status }) => status !== 'up' && name !== target.name && (grounds.has(kind) || stands.has(name)),
  );
  if (isElsewhere || incident.suppressedBy !== undefined) return { do: 'leave', reason: 'elsewhere' };
  const recent = restartsMs.filter((atMs) => nowMs - atMs < hourMs);
  if (recent.some((atMs) => nowMs - atMs < coolDownMs)) return { do: 'leave', reason: 'cooling' };
  return { do: recent.length < mostInAnHour ? 'restart' : 'call', incident };
}

/**
 * How long ago an earlier process began a restart, in ms, never more than it was on a machine that has been up since: nobody can set
 * how long that is. Where it was started anew, or nobody said, the clock of the machine is all that is known; a time that has not come
 * yet is now. Pure.
 */
export function restartAgeMs(
  { startedAt, machineUpMs }: { readonly startedAt: number; readonly machineUpMs?: number | undefined },
  now: { readonly at: number; readonly machineUpMs: number },
): number {
  if (machineUpMs !== undefined && now.machineUpMs >= machineUpMs) return now.machineUpMs - machineUpMs;
  return Math.max(0, now.at - startedAt);
}

/** It takes connections, or lets them wait, and says nothing: so at every look since it began to fail. */
function hangs({ health }: TargetSnapshot): boolean {
  const since = health.failingSince?.clockMs;
  const looks = health.recent.filter(({ clockMs }) => since !== undefined && clockMs >= since);
  return looks.length > 0 && looks.every(({ isSilent }) => isSilent === true);
}
