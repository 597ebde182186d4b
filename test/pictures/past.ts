import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { addLatency, latencyWidths, noLatency, type MinuteOfLatency } from '#monitor/model/latency.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { openDatabase, storeFileName } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const dayMs = 86_400_000;
const days = 400;
const targets = { postgresql: 3, api: 22, logs: 2, backups: 6 } as const;

/** Outages by how many days ago they began. */
const outages = [
  {
    probe: 'api',
    back: 3,
    lastedMs: 94_000,
    detail: 'no answer within 3 s',
    text: 'A query without an index held the pool; it has one now.',
  },
  {
    probe: 'postgresql',
    back: 16,
    lastedMs: 312_000,
    detail: 'connect ECONNREFUSED',
    text: 'The host was updated outside of planned work.',
  },
  {
    probe: 'api',
    back: 41,
    lastedMs: 1_260_000,
    detail: 'HTTP 503 Service Unavailable',
    text: 'The disk was full; it is watched from now on.',
  },
] as const;

/** A past for the pictures, since a stack that has just begun has none: 400 days of every target, with a few outages. */
export function writePast(dir: string, now: number): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const store = createStore(openDatabase(join(dir, storeFileName)));
  const today = Math.floor(now / dayMs);
  const tallies = Object.keys(targets).flatMap((probe) =>
    Array.from({ length: days }, (_, back) => {
      const downMs = outages.filter((each) => each.probe === probe && each.back === back).reduce((sum, each) => sum + each.lastedMs, 0);
      return { probe, day: today - back, upMs: (back === 0 ? now - today * dayMs : dayMs) - downMs, degradedMs: 0, downMs };
    }),
  );
  store.write({
    health: [],
    messages: [],
    tallies,
    incidents: outages.map((each) => incidentOf(each, now)),
    notes: outages.map((each) => noteOf(each, now)),
  });
  store.latencies.add(Object.entries(targets).flatMap(([probe, usualMs]) => latenciesOf(probe, usualMs, now)));
  store.close();
}

type Outage = (typeof outages)[number];

const beganAt = ({ back }: Outage, now: number): number => (Math.floor(now / dayMs) - back) * dayMs + 9 * 3_600_000;

function incidentOf(outage: Outage, now: number): Incident {
  const { probe, lastedMs, detail } = outage;
  const startedAt = beganAt(outage, now);
  const told = { detectedAt: startedAt + 13_000, firedAt: startedAt + 13_000, reminders: 0, lastToldAt: startedAt + 13_000 };
  return { id: idOf(outage), kind: 'down', probe, startedAt, detail, ...told, suppressedBy: undefined, endedAt: startedAt + lastedMs };
}

const idOf = ({ probe, back }: Outage): string => `${probe}-past-${back}`;

const noteOf = (outage: Outage, now: number) =>
  ({
    incidentId: idOf(outage),
    at: beganAt(outage, now) + dayMs / 4,
    by: 'Ana',
    kind: 'post_mortem',
    isPublic: true,
    text: outage.text,
  }) as const;

/** Slower by day than by night, now and then much slower; what comes out is the same each time. */
function latenciesOf(probe: string, usualMs: number, now: number): MinuteOfLatency[] {
  const spans = { minute: 1_440, hour: 30 * 24, day: days };
  return (['minute', 'hour', 'day'] as const).flatMap((width) => {
    const { widthMs } = latencyWidths[width];
    return Array.from({ length: spans[width] }, (_, index) => {
      // A minute of an hour, or a day, stands for all of it.
      const at = (Math.floor(now / widthMs) - index - (width === 'minute' ? 1 : 0)) * widthMs - (width === 'minute' ? 0 : dayMs);
      const load = 1 + 0.35 * Math.sin(((at % dayMs) / dayMs - 0.3) * 2 * Math.PI);
      const times = Array.from({ length: 12 }, (_look, look) => {
        const noise = Math.abs(Math.sin((index + 1) * 12.9898 + look * 78.233) * 43_758.5453) % 1;
        return usualMs * load * (0.8 + 0.5 * noise + (noise > 0.985 ? 2.5 : 0));
      });
      return { probe, at, sketch: times.reduce(addLatency, noLatency) };
    });
  });
}
