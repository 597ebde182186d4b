import { alertId, type Alert, type AlertEvent } from '../model/alert.ts';
import { incidentId, type Incident } from '../model/incident.ts';
import type { Clock, Fact } from '../model/look.ts';
import type { MonitorStore } from '../store/store.ts';
import type { Outbox } from './outbox.ts';
import type { PartState } from './judge-parts.ts';
import type { Sentence } from '../words/sentence.ts';

export type Notice = {
  /** What it is about, such as `watchdog`. */
  readonly part: string;
  readonly detail: string;
  readonly facts?: readonly Fact[];
  readonly nextStep?: Sentence;
  readonly except?: readonly string[];
};

/** What the monitor tells of itself. Its incidents are of the kind `self`, under the name `monitor.<part>`. */
export type SelfAlerts = {
  /** Tells of each part that has gone wrong, and of each that was and no longer is. */
  readonly update: (parts: readonly PartState[]) => void;
  /** Tells once of something that has no end. */
  readonly notice: (notice: Notice) => void;
};

/** @param left incidents of an earlier process; only open ones of the kind `self` count */
export function createSelfAlerts({ outbox, clock, left, isTaken }: SelfAlertDeps): SelfAlerts {
  const open = new Map(left.filter(({ kind }) => kind === 'self').map((incident) => [incident.probe, incident]));
  /** Several of one part may be told in one millisecond, as messages that are set aside together: each is another message. */
  let last = { id: '', count: 0 };

  const fire = ({ part, detail, nextStep, except }: PartState): void => {
    const { at } = clock();
    const incident = newIncident(part, detail, at, isTaken);
    open.set(incident.probe, incident);
    outbox.commit({ health: [], incidents: [incident], alerts: [alertOf('firing', incident, { at, detail, nextStep })] }, except);
  };
  const resolve = (incident: Incident, detail: string, except: readonly string[]): void => {
    const { at } = clock();
    const ended = { ...incident, endedAt: Math.max(at, incident.startedAt), lastToldAt: at };
    open.delete(incident.probe);
    outbox.commit({ health: [], incidents: [ended], alerts: [alertOf('resolved', ended, { at, detail })] }, except);
  };
  return {
    update: (parts) => {
      for (const part of parts) {
        const incident = open.get(probeOf(part.part));
        if (part.state === 'wrong' && !incident) fire(part);
        if (part.state === 'well' && incident) resolve(incident, part.detail, part.except);
      }
      const gone = [...open.values()].filter(({ probe }) => !parts.some(({ part }) => probeOf(part) === probe));
      for (const incident of gone) resolve(incident, 'it is no longer in use', []);
    },
    notice: ({ part, detail, facts, nextStep, except }) => {
      const { at } = clock();
      const incident = newIncident(part, detail, at, isTaken);
      last = { id: incident.id, count: incident.id === last.id ? last.count + 1 : 1 };
      const alert = alertOf('notice', incident, { at, detail, facts, nextStep, count: last.count });
      outbox.commit({ health: [], incidents: [], alerts: [alert] }, except);
    },
  };
}

export type SelfAlertDeps = {
  readonly outbox: Pick<Outbox, 'commit'>;
  readonly clock: Clock;
  readonly left: readonly Incident[];
  readonly isTaken: MonitorStore['isTaken'];
};

const probeOf = (part: string): string => `monitor.${part}`;

function newIncident(part: string, detail: string, at: number, isTaken: MonitorStore['isTaken']): Incident {
  return {
    id: incidentId(probeOf(part), at, 'self', isTaken),
    kind: 'self',
    probe: probeOf(part),
    startedAt: at,
    detectedAt: at,
    detail,
    firedAt: at,
    reminders: 0,
    lastToldAt: at,
    suppressedBy: undefined,
    endedAt: undefined,
  };
}

function alertOf(
  event: AlertEvent,
  { id, probe, startedAt, endedAt }: Incident,
  said: {
    readonly at: number;
    readonly detail: string;
    readonly facts?: readonly Fact[] | undefined;
    readonly nextStep?: Sentence | undefined;
    readonly count?: number;
  },
): Alert {
  return {
    id: alertId(id, event, said.count),
    event,
    incidentId: id,
    probe,
    detail: said.detail,
    ...(said.facts === undefined ? {} : { facts: said.facts }),
    ...(said.nextStep === undefined ? {} : { nextStep: said.nextStep }),
    startedAt: new Date(startedAt).toISOString(),
    decidedAt: new Date(said.at).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    dependents: [],
  };
}
