import type { TargetSnapshot } from '../health/watch.ts';
import type { ChannelState } from '../model/alert.ts';

/** The monitor's judgement of itself. `failing`: it does not watch as it should; `warning`: people may not hear of it. */
export type SelfReport = {
  readonly status: 'ok' | 'warning' | 'failing';
  readonly reasons: readonly string[];
  /** Why nobody can be told of anything, by any channel there is. */
  readonly unheard?: string;
};

export type SelfFacts = {
  readonly targets: readonly TargetSnapshot[];
  /** When the watch began and the present moment, in ms of the clock that never jumps. */
  readonly startedClockMs: number;
  readonly clockMs: number;
  /** Ms of the epoch. */
  readonly now: number;
  /** Undefined when the store does not answer. */
  readonly channels: readonly ChannelState[] | undefined;
  /** Why the store takes nothing; undefined while it does. */
  readonly storeFault: string | undefined;
  /** Why the settings, read anew, were not put in force. */
  readonly settingsFault?: string | undefined;
};

/** A look is overdue by more than any single timeout explains. */
const overdueMs = 15_000;
const staleMessageMs = 10 * 60_000;

/** Whether looks are fresh, the store answers, and messages get out. Pure. */
export function judgeSelf(facts: SelfFacts): SelfReport {
  const failing = facts.targets.flatMap((target) => {
    const sinceMs = facts.clockMs - (target.health.recent.at(-1)?.clockMs ?? facts.startedClockMs);
    const isLate = sinceMs > target.cadence.intervalMs + target.cadence.timeoutMs + overdueMs;
    return isLate ? [`${target.name} has not been looked at for ${Math.round(sinceMs / 1000)} s`] : [];
  });
  if (!facts.channels) failing.push("the monitor's own store does not answer");
  if (facts.storeFault !== undefined) failing.push(facts.storeFault);
  const faults = facts.targets.flatMap(({ name, health }) => (health.fault === undefined ? [] : [`${name} is unknown: ${health.fault}`]));
  const late = (facts.channels ?? []).flatMap(({ channel, pending, oldestPendingAt, failed, lastError, brokenSince }) => {
    const isStale = oldestPendingAt !== undefined && facts.now - oldestPendingAt > staleMessageMs;
    const why = lastError === undefined ? '' : ` (${lastError})`;
    return [
      ...(brokenSince === undefined ? [] : [`${channel} is broken${why}`]),
      ...(isStale
        ? [`${channel}: ${pending} messages wait, the oldest for ${Math.round((facts.now - oldestPendingAt) / 60_000)} m${why}`]
        : []),
      ...(failed > 0 ? [`${channel}: ${failed} messages were set aside in the last day${why}`] : []),
    ];
  });
  const settings = facts.settingsFault === undefined ? [] : [facts.settingsFault];
  const status = failing.length > 0 ? 'failing' : faults.length + late.length + settings.length > 0 ? 'warning' : 'ok';
  return { status, reasons: [...failing, ...settings, ...faults, ...late], ...unheard(facts.channels ?? []) };
}

function unheard(channels: readonly ChannelState[]): Pick<SelfReport, 'unheard'> {
  const isHeard = channels.length === 0 || channels.some(({ brokenSince }) => brokenSince === undefined);
  return isHeard
    ? {}
    : { unheard: `${channels.map(({ channel }) => channel).join(' and ')} ${channels.length === 1 ? 'takes' : 'take'} no alerts` };
}
