import { createLogger } from '#lib/logger.ts';
import { AlertDeliveryError, type Channel, type Delivery } from '#monitor/alerts/channel.ts';
import { createDeliveryLoop, type DeliveryLoop } from '#monitor/alerts/deliver.ts';
import { createOutbox, type Outbox } from '#monitor/alerts/outbox.ts';
import { alertId, type Alert, type AlertEvent } from '#monitor/model/alert.ts';
import type { Moment } from '#monitor/model/look.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore } from '#monitor/store/store.ts';

/**
 * What a channel does with a message. `swallow` takes it in, but its answer never comes; `die` and `die-after` end the
 * monitor before and after it was taken in.
 */
export type Behaviour = 'accept' | 'down' | 'refuse' | 'broken' | 'swallow' | 'die' | 'die-after';

export type Arrival = { readonly channel: string; readonly alert: Alert; readonly delivery: Delivery };

export const channelNames = ['slack', 'email'] as const;
export type ChannelName = (typeof channelNames)[number];

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const dayMs = 86_400_000;

type Process = { readonly outbox: Outbox; readonly loops: readonly DeliveryLoop[]; isDead: boolean };

/** The real outbox over the real store, with channels, disk and clock that do as they are told, and processes that die. */
export function createWorld() {
  const database = openDatabase(':memory:');
  const store = createStore(database);
  const arrivals: Arrival[] = [];
  const setAside: string[] = [];
  const world = {
    now: { at: Date.parse('2026-11-24T02:00:00Z'), clockMs: 0 } as Moment,
    isDiskFull: false,
    behaviours: { slack: 'accept', email: 'accept' } as Record<ChannelName, Behaviour>,
    crashes: 0,
    /** Sends that were taken in without an answer, and sends that could not be recorded beforehand. */
    unanswered: 0,
    unrecorded: 0,
    arrivals,
    setAside,
    store,
    database,
    process: undefined as unknown as Process,
    start,
    /** Ends the process as SIGKILL does: whatever it does from now on reaches nobody. */
    crash: () => {
      world.process.isDead = true;
      world.crashes += 1;
      start();
    },
    /** Time passes on both clocks. */
    pass: (ms: number) => void (world.now = { at: world.now.at + ms, clockMs: world.now.clockMs + ms }),
    /** Somebody sets the clock of the machine. */
    setClock: (byMs: number) => void (world.now = { ...world.now, at: world.now.at + byMs }),
    commit: (alert: Alert) => world.process.outbox.commit({ health: [], incidents: [], alerts: [alert] }),
    /** Lets a channel do what is due. @returns ms until it would do more */
    step: async (channel: ChannelName): Promise<number> => {
      const { loops } = world.process;
      return (await loops.find((loop) => loop.channel === channel)?.step(new AbortController().signal)) ?? 0;
    },
    /** Lets time pass until no channel has anything to send, for at most `forMs`. */
    settle: async (forMs: number): Promise<void> => {
      for (const endMs = world.now.clockMs + forMs; world.now.clockMs < endMs;) {
        const waits = [];
        for (const channel of channelNames) waits.push(await world.step(channel));
        const isIdle = channelNames.every((channel) => world.process.outbox.pending(channel).length === 0);
        if (isIdle && !world.process.outbox.storeFault()) return;
        world.pass(Math.max(1, Math.min(...waits)));
      }
    },
    reset: () => {
      database.exec('DELETE FROM messages');
      for (const list of [arrivals, setAside]) list.length = 0;
      Object.assign(world, {
        isDiskFull: false,
        behaviours: { slack: 'accept', email: 'accept' },
        crashes: 0,
        unanswered: 0,
        unrecorded: 0,
      });
      start();
    },
    close: () => store.close(),
  };
  start();
  return world;

  function start(): void {
    const process: Process = { isDead: false } as Process;
    const clock = (): Moment => world.now;
    const outbox = createOutbox({ store: diskOf(process), clock, logger });
    const loops = channelNames.map((name) =>
      createDeliveryLoop({
        channel: channelOf(name, process),
        outbox,
        backoff: { firstDelayMs: 1_000, maxDelayMs: 300_000, jitter: 0.5 },
        clock,
        random: () => 0.5,
        onSetAside: ({ channel, alert }) => void setAside.push(`${channel} ${alert.id}`),
        logger,
      }),
    );
    world.process = Object.assign(process, { outbox, loops });
    outbox.serve(channelNames, world.now.at - dayMs);
  }

  function diskOf(process: Process): MonitorStore {
    return {
      ...store,
      write: (changes) => {
        if (process.isDead || world.isDiskFull) throw new StoreError('the disk is full');
        store.write(changes);
      },
    };
  }

  function channelOf(name: ChannelName, process: Process): Channel {
    return {
      name,
      minSpacingMs: name === 'slack' ? 1_000 : 0,
      // oxlint-disable-next-line typescript/require-await -- a send is asynchronous by its type
      send: async (alert, delivery) => {
        const behaviour = world.behaviours[name];
        if (['accept', 'swallow', 'die-after'].includes(behaviour)) arrivals.push({ channel: name, alert, delivery });
        if (behaviour === 'swallow') world.unanswered += 1;
        if (delivery.mayComeAgain) world.unrecorded += 1;
        if (behaviour === 'accept') return;
        if (behaviour.startsWith('die')) {
          world.behaviours[name] = 'accept';
          process.isDead = true;
          world.crashes += 1;
          start();
        }
        const isOfMessage = behaviour === 'refuse';
        throw new AlertDeliveryError({
          channel: name,
          detail: behaviour,
          scope: isOfMessage ? 'message' : 'channel',
          isLasting: behaviour === 'broken',
          mayHaveArrived: behaviour === 'swallow',
        });
      },
    };
  }
}

export type World = ReturnType<typeof createWorld>;

export function buildAlert(incident: string, event: AlertEvent, at: number, probe = 'api'): Alert {
  return {
    id: alertId(incident, event),
    event,
    incidentId: incident,
    probe,
    detail: event,
    startedAt: new Date(at).toISOString(),
    decidedAt: new Date(at).toISOString(),
    ...(event === 'resolved' ? { endedAt: new Date(at).toISOString() } : {}),
    dependents: [],
  };
}
