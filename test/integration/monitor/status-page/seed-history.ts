import type { Incident } from '#monitor/model/incident.ts';
import { addLatency, latencyWidths, noLatency, type MinuteOfLatency } from '#monitor/model/latency.ts';
import type { TimelineEntry } from '#monitor/model/quiet.ts';
import type { MonitorStore, StoredMessage } from '#monitor/store/store.ts';

export const seededTargets = Array.from({ length: 12 }, (_, index) => `target-${index}`);

const days = 400;
const dayMs = 86_400_000;
const incidentsOfHistory = 3_000;

/**
 * 400 days of every target, with an outage on each seventh day, 3,000 incidents with two messages and a note each, and all latencies
 * that are kept of target 3.
 */
export function seedHistory(store: MonitorStore, now: number): void {
  const today = Math.floor(now / dayMs);
  const tallies = seededTargets.flatMap((probe, target) =>
    Array.from({ length: days }, (_, back) => {
      const downMs = (back + target) % 7 === 0 ? 61_000 : 0;
      return { probe, day: today - back, upMs: dayMs - downMs, degradedMs: 0, downMs };
    }),
  );
  store.write({ health: [], incidents: [], messages: [], tallies });
  store.latencies.add(latenciesOf('target-3', now));
  for (let first = 0; first < incidentsOfHistory; first += 500) {
    const incidents = Array.from({ length: 500 }, (_, index) => incidentOf(first + index, now));
    const notes = incidents.map(({ id, startedAt }) => {
      const text = 'The disk was full; it has been enlarged, and is watched from now on.';
      return { incidentId: id, at: startedAt, by: 'Ana', kind: 'post_mortem', isPublic: true, text } as const;
    });
    const timeline = incidents.filter(({ id }) => id === 'target-1-1500').flatMap(foundOf);
    store.write({ health: [], incidents, messages: incidents.flatMap(messagesOf), notes, timeline });
  }
}

/** A look each five seconds, slower by day than by night. */
function latenciesOf(probe: string, now: number): MinuteOfLatency[] {
  return Object.values(latencyWidths).flatMap(({ widthMs, keptMs }) =>
    Array.from({ length: keptMs / widthMs }, (_, back) => {
      const at = Math.floor(now / widthMs - back) * widthMs;
      const usualMs = 40 + 25 * Math.sin((at / dayMs) * 2 * Math.PI) + (at % 7);
      const times = Array.from({ length: 12 }, (_look, index) => usualMs + ((index * 37 + back * 13) % 29));
      return { probe, at, sketch: times.reduce(addLatency, noLatency) };
    }),
  );
}

function incidentOf(back: number, now: number): Incident {
  const probe = `target-${(back * 7 + 1) % 12}`;
  const startedAt = now - 60_000 - Math.floor((back * days * dayMs) / incidentsOfHistory);
  const looks = Array.from({ length: 10 }, (_, index) => {
    return { at: startedAt + index * 1_000, outcome: 'failed', latencyMs: 12, detail: 'HTTP 503 Service Unavailable' } as const;
  });
  return {
    id: back === 1_500 ? 'target-1-1500' : `${probe}-${back}`,
    kind: back % 5 === 0 ? 'degraded' : 'down',
    probe,
    startedAt,
    detectedAt: startedAt + 6_000,
    detail: 'HTTP 503 Service Unavailable',
    firedAt: startedAt + 6_000,
    reminders: 0,
    lastToldAt: startedAt + 6_000,
    suppressedBy: undefined,
    endedAt: startedAt + 59_000,
    looks,
  };
}

function foundOf({ id: incidentId, probe, startedAt }: Incident): TimelineEntry[] {
  const by = { probe, incidentId, by: 'monitor' };
  return [
    {
      ...by,
      at: startedAt + 7_000,
      event: 'evidence',
      detail: 'Sessions: 5 active, 2 idle; Not seen: the log: none',
      found: { cause: { code: 'hangs', who: probe } },
    },
    { ...by, at: startedAt + 12_000, event: 'action', detail: `${probe} was told to start anew` },
  ];
}

function messagesOf({ id, probe, startedAt }: Incident): StoredMessage[] {
  const rest = { state: 'sent', attempts: 1, refusals: 0, isUncertain: false, lastError: undefined, settledAt: startedAt + 9_000 } as const;
  return (['firing', 'resolved'] as const).map((event) => {
    const iso = new Date(startedAt).toISOString();
    const alert = {
      id: `${id}.${event}.1`,
      event,
      incidentId: id,
      probe,
      detail: 'HTTP 503',
      startedAt: iso,
      decidedAt: iso,
      dependents: [],
    };
    return { channel: 'slack', alert, ...rest };
  });
}
