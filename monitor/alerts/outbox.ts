import type { Logger } from '#lib/logger.ts';
import type { Alert } from '../model/alert.ts';
import type { TickCommit } from '../model/incident.ts';
import type { Clock } from '../model/look.ts';
import type { MonitorStore, StoredMessage } from '../store/store.ts';
import { createUnwritten, type StoreFault, type Unwritten } from './unwritten.ts';

/** A message that still has to go out, as this process holds it. */
export type QueuedMessage = StoredMessage & {
  /** Not before this moment of the clock that never jumps. */
  readonly notBeforeMs: number;
};

/** What a message is from now on. */
export type Outcome = Pick<QueuedMessage, 'state'> & Partial<Pick<QueuedMessage, 'refusals' | 'lastError' | 'notBeforeMs' | 'isUncertain'>>;

export type Outbox = {
  /**
   * Records a tick and queues its alerts. Never throws: what the store refuses is kept here, sent from here, and written
   * once the store is well.
   * @param except channels that are not told
   */
  readonly commit: (tick: TickCommit, except?: readonly string[]) => void;
  /** What a channel has to send, in the order in which it was queued. */
  readonly pending: (channel: string) => readonly QueuedMessage[];
  /**
   * Says that a send begins.
   * @returns the messages as they are now, and whether that is on record: if not, a crash may repeat them unmarked
   */
  readonly begin: (messages: readonly QueuedMessage[]) => { readonly begun: readonly QueuedMessage[]; readonly isRecorded: boolean };
  /** Says how a send ended. The store is asked to write it, and asked again until it does. */
  readonly settle: (message: QueuedMessage, outcome: Outcome) => void;
  /** Tries again to write what the store has refused. */
  readonly flush: () => void;
  /** Why and since when the store takes nothing. */
  readonly storeFault: () => StoreFault | undefined;
  /**
   * Serves these channels from now on, as at the start and after a reload. What waits is due at once, and what was set
   * aside is queued again if it was decided since `requeueSince`: the configuration may have been mended. What was decided while there
   * was no channel at all goes to these.
   */
  readonly serve: (channels: readonly string[], requeueSince: number) => void;
  /** The listener is called whenever something was queued. */
  readonly onQueued: (listener: () => void) => void;
};

export type OutboxDeps = {
  readonly store: Pick<MonitorStore, 'write' | 'pendingMessages' | 'failedMessages'>;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** More messages than this wait for no channel: the oldest is set aside. */
const mostPending = 500;

/** Under this name stands, as set aside, what was decided while there was no channel. */
const nobody = 'nobody';

/** What waits, by channel and alert, and what the store has not taken yet. */
type Book = OutboxDeps & { readonly queues: Map<string, Map<string, QueuedMessage>>; readonly unwritten: Unwritten };

/**
 * The queue of messages. While the store is well each change is on disk before anything follows from it; memory holds
 * what is pending, so that a store which fails later can neither lose nor stop it.
 */
export function createOutbox(deps: OutboxDeps): Outbox {
  const book: Book = { ...deps, queues: new Map(), unwritten: createUnwritten(deps) };
  const { queues, unwritten } = book;
  let listener: (() => void) | undefined;
  return {
    commit: (tick, except = []) => {
      unwritten.keepTick(tick);
      const channels = [...queues.keys()].filter((channel) => !except.includes(channel));
      for (const alert of tick.alerts) {
        for (const channel of channels) enqueue(book, channel, alert);
        if (queues.size === 0) unwritten.keepMessage(unaddressed(alert, deps.clock().at));
      }
      unwritten.write();
      if (tick.alerts.length > 0) listener?.();
    },
    pending: (channel) => [...(queues.get(channel)?.values() ?? [])],
    begin: (messages) => {
      const begun = messages.map((message) => ({ ...message, attempts: message.attempts + 1, isUncertain: true }));
      for (const message of begun) put(book, message);
      return { begun, isRecorded: unwritten.write() };
    },
    settle: (message, outcome) => {
      const settledAt = outcome.state === 'pending' ? undefined : deps.clock().at;
      put(book, { ...message, ...outcome, settledAt });
      unwritten.write();
    },
    flush: () => void unwritten.write(),
    storeFault: unwritten.fault,
    serve: (channels, requeueSince) => {
      serve(book, channels, requeueSince);
      unwritten.write();
      listener?.();
    },
    onQueued: (next) => {
      listener = next;
    },
  };
}

function put({ queues, unwritten }: Book, message: QueuedMessage): void {
  unwritten.keepMessage(message);
  const queue = queues.get(message.channel);
  if (message.state === 'pending') queue?.set(message.alert.id, message);
  else queue?.delete(message.alert.id);
}

function enqueue(book: Book, channel: string, alert: Alert): void {
  const queue = book.queues.get(channel);
  if (!queue || queue.has(alert.id)) return;
  put(book, freshMessage(channel, alert));
  const [oldest] = queue.values();
  if (queue.size <= mostPending || !oldest) return;
  book.logger.error({ channel, alertId: oldest.alert.id }, 'too many messages wait; the oldest is set aside');
  put(book, { ...oldest, state: 'failed', lastError: `more than ${mostPending} messages waited`, settledAt: book.clock().at });
}

/** The store may be behind: a message it calls pending may have gone out while its disk was full. */
function serve(book: Book, channels: readonly string[], requeueSince: number): void {
  const { queues, unwritten, store, logger } = book;
  for (const gone of [...queues.keys()].filter((channel) => !channels.includes(channel))) queues.delete(gone);
  const stored = [...readOrNone(store.pendingMessages, logger), ...readOrNone(() => store.failedMessages(requeueSince), logger)];
  const all = unwritten.laidOver(stored);
  const known = all.filter(({ channel }) => channels.includes(channel));
  for (const channel of channels) {
    const waiting = known.filter((message) => message.channel === channel && message.state === 'pending');
    queues.set(channel, dueAgain(waiting, queues.get(channel)));
  }
  for (const message of known.filter(({ state }) => state === 'failed')) {
    put(book, { ...message, state: 'pending', refusals: 0, settledAt: undefined, notBeforeMs: 0 });
  }
  if (channels.length === 0) return;
  for (const message of all.filter(({ channel, state }) => channel === nobody && state === 'failed')) {
    for (const channel of channels) enqueue(book, channel, message.alert);
    unwritten.keepMessage({ ...message, state: 'merged' });
  }
}

const unaddressed = (alert: Alert, settledAt: number): StoredMessage => ({
  ...unsent(nobody, alert),
  state: 'failed',
  lastError: 'no channel was configured',
  settledAt,
});

const freshMessage = (channel: string, alert: Alert): QueuedMessage => ({ ...unsent(channel, alert), notBeforeMs: 0 });

const unsent = (channel: string, alert: Alert): StoredMessage => ({
  channel,
  alert,
  state: 'pending',
  attempts: 0,
  refusals: 0,
  isUncertain: false,
  lastError: undefined,
  settledAt: undefined,
});

/** What is stored, or held more recently in memory, due at once. */
function dueAgain(stored: readonly StoredMessage[], held: ReadonlyMap<string, QueuedMessage> = new Map()): Map<string, QueuedMessage> {
  const all = [...stored, ...held.values()];
  return new Map(all.map((message) => [message.alert.id, { ...message, notBeforeMs: 0 }]));
}

function readOrNone(read: () => readonly StoredMessage[], logger: Logger): readonly StoredMessage[] {
  try {
    return read();
  } catch (err) {
    logger.error({ err }, 'messages of before cannot be read');
    return [];
  }
}
