import { roleOf } from '../model/alert.ts';
import type { Moment } from '../model/look.ts';
import type { QueuedMessage } from './outbox.ts';

/** What a channel does next. */
export type SendPlan =
  | {
      readonly action: 'send';
      readonly reason: 'due' | 'stale_pair' | 'reminded_anyway';
      readonly message: QueuedMessage;
      /** Messages that this one tells as well; they are settled with it. */
      readonly tellsToo: readonly QueuedMessage[];
    }
  | { readonly action: 'wait'; readonly reason: 'empty' | 'not_due'; readonly ms: number };

/** When an outage began and ended before anybody could be told, and this long ago, one message tells both. */
const staleMs = 60_000;

/**
 * The oldest message that is due. Each incident keeps its own order, so that RESOLVED never comes before its FIRING, but
 * no incident waits for another's: a message that is refused for ever holds up nobody else. Pure.
 */
export function planSend(queue: readonly QueuedMessage[], now: Moment): SendPlan {
  const candidates = joinStalePairs([...groupByIncident(queue).values()].map((messages) => planIncident(messages, now)));
  const next = candidates.find(({ message }) => message.notBeforeMs <= now.clockMs);
  if (next) return { action: 'send', ...next };
  if (candidates.length === 0) return { action: 'wait', reason: 'empty', ms: Infinity };
  const soonest = Math.min(...candidates.map(({ message }) => message.notBeforeMs));
  return { action: 'wait', reason: 'not_due', ms: soonest - now.clockMs };
}

type Candidate = Omit<Extract<SendPlan, { action: 'send' }>, 'action'>;

function groupByIncident(queue: readonly QueuedMessage[]): Map<string, QueuedMessage[]> {
  const groups = new Map<string, QueuedMessage[]>();
  for (const message of queue) {
    const { incidentId } = message.alert;
    groups.set(incidentId, [...(groups.get(incidentId) ?? []), message]);
  }
  return groups;
}

/** What is to be sent of one incident's messages. Those of an incident that is over, and was never told in time, become one. */
function planIncident(messages: readonly QueuedMessage[], now: Moment): Candidate {
  const [first, ...later] = messages as [QueuedMessage, ...QueuedMessage[]];
  const last = later.at(-1);
  if (!last) return { reason: 'due', message: first, tellsToo: [] };
  const isStale = now.at - Date.parse(first.alert.decidedAt) >= staleMs;
  if (roleOf(last.alert.event) === 'closes' && isStale) {
    return { reason: 'stale_pair', message: last, tellsToo: messages.slice(0, -1) };
  }
  const reminders = later.filter(({ alert }) => alert.event === 'reminder');
  if (reminders.length === 0) return { reason: 'due', message: first, tellsToo: [] };
  // The first says all that its reminders would; of reminders alone, the latest does.
  if (first.alert.event !== 'reminder') return { reason: 'reminded_anyway', message: first, tellsToo: reminders };
  const latest = reminders.at(-1) ?? first;
  return { reason: 'reminded_anyway', message: latest, tellsToo: [first, ...reminders].filter((message) => message !== latest) };
}

/** Several stale outages of one target become one message, that of the last. */
function joinStalePairs(candidates: readonly Candidate[]): Candidate[] {
  const joined: Candidate[] = [];
  for (const candidate of candidates) {
    const { probe, event } = candidate.message.alert;
    const at = joined.findIndex(
      ({ reason, message: { alert } }) => reason === 'stale_pair' && alert.probe === probe && alert.event === event,
    );
    const earlier = joined[at];
    if (candidate.reason !== 'stale_pair' || !earlier) joined.push(candidate);
    else joined[at] = { ...candidate, tellsToo: [...earlier.tellsToo, earlier.message, ...candidate.tellsToo] };
  }
  return joined;
}
