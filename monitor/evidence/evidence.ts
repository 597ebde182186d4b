import type { Channel } from '../alerts/channel.ts';
import type { TargetSnapshot } from '../health/watch.ts';
import { roleOf, type Alert } from '../model/alert.ts';
import type { Clock, Fact } from '../model/look.ts';
import type { Found, TimelineEntry } from '../model/quiet.ts';
import { causeOf, impactOf, type Scene } from './cause.ts';
import { gather, type Shown, type Source } from './source.ts';

export type Evidence = {
  /** Begins to look around for what these tell; called once they are on record. */
  readonly begin: (alerts: readonly Alert[]) => void;
  /** The alert with its cause and what was found, no later than the bound of `gather` after it began; as it is where nothing was sought. */
  readonly complete: (alert: Alert) => Promise<Alert>;
  /** Looks around for something that is about to be done to an incident, and keeps what it found on the timeline. */
  readonly take: (of: { readonly target: string; readonly incidentId: string }) => Promise<readonly Fact[]>;
};

export type EvidenceDeps = {
  readonly sources: readonly Source[];
  readonly snapshot: () => readonly TargetSnapshot[];
  readonly keep: (entry: TimelineEntry) => void;
  readonly watchingSince: number;
  readonly clock: Clock;
};

/** Explained alerts are kept for sends that are tried again. */
const mostKept = 200;
/** What was seen so lately is seen for the next one too. */
const sharedMs = 1_000;

/** What stood around incidents at their beginning. Alerts are on record before it looks, and none waits longer than the bound. */
export function createEvidence({ sources, snapshot, keep, watchingSince, clock }: EvidenceDeps): Evidence {
  const explained = new Map<string, Promise<Alert>>();
  let last: { readonly atMs: number; readonly shown: Promise<Shown> } | undefined;

  const look = (): Promise<Shown> => {
    const atMs = clock().clockMs;
    if (!last || atMs - last.atMs > sharedMs) last = { atMs, shown: gather(sources) };
    return last.shown;
  };
  const note = async (target: string, incidentId: string, facts: readonly Fact[], { cause, nextStep }: Omit<Found, 'facts'> = {}) => {
    // Loaded at the first incident: a monitor at rest keeps its memory.
    const { say } = await import('../words/say.ts');
    const detail = facts.map(([label, value]) => `${label}: ${say(value, 'en').replace(/\.$/, '')}`).join('; ');
    const found = { facts, ...(cause !== undefined && { cause }), ...(nextStep !== undefined && { nextStep }) };
    keep({ at: clock().at, event: 'evidence', probe: target, incidentId, by: 'monitor', detail, found });
  };
  const explain = async (alert: Alert): Promise<Alert> => {
    const { facts, signs = {} } = await look();
    const targets = snapshot();
    const target = targets.find(({ name }) => name === alert.probe);
    if (!target) return alert;
    const whole = withCause(alert, { target, targets, signs, watchingSince }, [...facts, ...othersOf(alert, targets)]);
    await note(alert.probe, alert.incidentId, facts, whole);
    return whole;
  };
  return {
    begin: (alerts) => {
      for (const alert of alerts.filter(isExplained)) explained.set(alert.id, explain(alert));
      for (const id of [...explained.keys()].slice(0, -mostKept)) explained.delete(id);
    },
    complete: (alert) => explained.get(alert.id) ?? Promise.resolve(alert),
    take: async ({ target, incidentId }) => {
      last = undefined;
      const { facts } = await look();
      await note(target, incidentId, facts);
      return facts;
    },
  };
}

/** Messages that call somebody. */
const isExplained = ({ event }: Alert): boolean => roleOf(event) === 'opens' || event === 'reminder' || event === 'notice';

function withCause(alert: Alert, scene: Scene, facts: readonly Fact[]): Alert {
  return { ...alert, facts: [...(alert.facts ?? []), ...facts], ...causeOf(alert, scene), impact: impactOf(alert, scene) };
}

/** What else is not well; what stands on the target is told as such. */
function othersOf({ probe, dependents }: Alert, targets: readonly TargetSnapshot[]): Fact[] {
  const others = targets.filter(
    ({ name, status }) => status !== 'up' && name !== probe && !dependents.some((dependent) => dependent.name === name),
  );
  if (others.length === 0) return [];
  return [
    ['Not well either', others.map(({ name, status, health }) => `${name} (${status}: ${health.recent.at(-1)?.detail ?? ''})`).join(', ')],
  ];
}

/** A channel whose messages tell what was found out since they were queued. */
export const withEvidence = (channel: Channel, evidence: Evidence): Channel => ({
  ...channel,
  send: async (alert, delivery, signal) => channel.send(await evidence.complete(alert), delivery, signal),
});
