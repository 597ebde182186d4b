import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import type { Incident, StoredHealth, TickCommit } from '../model/incident.ts';
import type { Clock } from '../model/look.ts';
import type { TimelineEntry } from '../model/quiet.ts';
import { addTallies, type DayTally } from '../model/tally.ts';
import type { MonitorStore, StoreChanges, StoredMessage } from '../store/store.ts';

export type Unwritten = {
  readonly keepTick: (tick: TickCommit) => void;
  readonly keepMessage: (message: StoredMessage) => void;
  /** Messages as the store has them, each in its later state where one is kept here, and those the store has not yet at all. */
  readonly laidOver: (stored: readonly StoredMessage[]) => readonly StoredMessage[];
  /** Hands everything to the store, in one transaction. @returns false when the store refuses; everything is then kept */
  readonly write: () => boolean;
  readonly fault: () => StoreFault | undefined;
};

/** Why and since when the store takes nothing, on the clock that never jumps. */
export type StoreFault = { readonly why: string; readonly sinceMs: number };

export type UnwrittenDeps = { readonly store: Pick<MonitorStore, 'write'>; readonly clock: Clock; readonly logger: Logger };

/** More rows than this are not kept for a store that takes nothing: those of what is over go first. */
const mostKept = 2_000;

/**
 * Rows that the store has not taken yet: of each only its latest state, in the order in which each was first changed. So
 * they stay few, however long the store takes nothing.
 */
export function createUnwritten({ store, clock, logger }: UnwrittenDeps): Unwritten {
  const health = new Map<string, StoredHealth>();
  const incidents = new Map<string, Incident>();
  const messages = new Map<string, StoredMessage>();
  let timeline: TimelineEntry[] = [];
  const tallies = new Map<string, DayTally>();
  let fault: StoreFault | undefined;
  const changes = (): StoreChanges => ({
    health: [...health.values()],
    incidents: [...incidents.values()],
    messages: [...messages.values()],
    timeline,
    tallies: [...tallies.values()],
  });
  return {
    keepTick: (tick) => {
      for (const each of tick.health) health.set(each.probe, each);
      for (const each of tick.incidents) incidents.set(each.id, each);
      dropOver(incidents, ({ endedAt }) => endedAt !== undefined);
      timeline = [...timeline, ...(tick.timeline ?? [])].slice(-mostKept);
      for (const each of tick.tallies ?? []) {
        const [key, held] = [`${each.probe} ${each.day}`, tallies.get(`${each.probe} ${each.day}`)];
        tallies.set(key, held ? addTallies(held, each) : each);
      }
    },
    keepMessage: (message) => {
      messages.set(keyOf(message), message);
      dropOver(messages, ({ state }) => state !== 'pending');
    },
    laidOver: (stored) => [...new Map([...stored.map((message) => [keyOf(message), message] as const), ...messages]).values()],
    write: () => {
      if (health.size + incidents.size + messages.size + timeline.length + tallies.size === 0) return true;
      try {
        store.write(changes());
      } catch (err) {
        if (!fault) logger.error({ err }, 'the store refuses to write; alerts go on from memory');
        fault = { why: messageOf(err), sinceMs: fault?.sinceMs ?? clock().clockMs };
        return false;
      }
      if (fault) logger.info('the store takes writes again');
      fault = undefined;
      for (const map of [health, incidents, messages, tallies]) map.clear();
      timeline = [];
      return true;
    },
    fault: () => fault,
  };
}

const keyOf = ({ channel, alert }: StoredMessage): string => `${channel} ${alert.id}`;

function dropOver<T>(map: Map<string, T>, isOver: (each: T) => boolean): void {
  if (map.size <= mostKept) return;
  const [oldest] = [...map].find(([, each]) => isOver(each)) ?? map.keys();
  if (typeof oldest === 'string') map.delete(oldest);
}
