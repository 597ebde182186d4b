import type { Alert } from '#monitor/model/alert.ts';
import { roleOf } from '#monitor/model/alert.ts';
import { channelNames, flapTurns, type ChannelName, type TargetName } from './steps.ts';
import type { Arrival, Decided, World } from './world.ts';

/** What must hold in every history, and what was broken. */
export const rules = {
  told: 'whatever is decided reaches every channel, or is set aside and told by another',
  kept: 'what a crash leaves on disk is all that was decided, but while the disk is full',
  order: 'no end of an incident comes before its beginning',
  once: 'a crash repeats one message a channel at most, and so does an answer that never comes or a send that could not be recorded',
  marked: 'whatever comes twice says so',
  heard: 'an outage that lasts is told, unless something is to keep it back',
  ended: 'what was told as begun is told as ended once it is, whatever else keeps messages back',
  summary: 'while a target comes and goes one message says so and one that it has settled, with how often it did; nothing fires in between',
  quiet: 'nothing that begins is told in a silence or in planned work',
  parent: 'what a parent explains is not told beside it',
  acknowledged: 'no reminder follows once somebody has taken it on',
  prompt:
    'what waited for a channel that could not be reached arrives within 15 s once it can, and the first of it in 99 of 100 cases within 5 s',
  awake: 'a channel with which nothing was wrong has what is decided within 30 s, whatever is wrong with the disk',
  running: 'no part of the monitor ends',
} as const;

export type Rule = keyof typeof rules;
export type Violation = { readonly rule: Rule; readonly what: string };

/** What waited for a channel to come back, and how long after that it took, in ms. */
export type Delay = { readonly after: string; readonly isFirst: boolean; readonly ms: number };

const tells = ({ alert, delivery }: Arrival, id: string): boolean => alert.id === id || delivery.tellsToo.some((other) => other.id === id);

/** Every alert a channel has to tell, once for each. */
export type Expected = { readonly channel: ChannelName; readonly alert: Alert; readonly atMs: number };

/** Judges all that was decided beside all that arrived, once everything is well again. */
export function judgeDelivery(world: World, expected: readonly Expected[]): Violation[] {
  const found: Violation[] = [];
  for (const channel of channelNames) {
    const arrived = world.arrivals.filter((arrival) => arrival.channel === channel);
    const firstOf = (id: string): number => arrived.findIndex((arrival) => tells(arrival, id));
    const own = expected.filter((each) => each.channel === channel);
    for (const { alert } of own) {
      const at = firstOf(alert.id);
      if (at === -1) {
        if (!world.setAside.has(`${channel} ${alert.id}`)) found.push({ rule: 'told', what: `${channel} was never told ${alert.id}` });
        continue;
      }
      const opening = own.find((each) => each.alert.incidentId === alert.incidentId && roleOf(each.alert.event) === 'opens')?.alert;
      if (roleOf(alert.event) !== 'closes' || !opening || world.setAside.has(`${channel} ${opening.id}`)) continue;
      if (firstOf(opening.id) > at) found.push({ rule: 'order', what: `${channel} was told ${alert.id} before ${opening.id}` });
    }
    found.push(...unmarked(arrived));
  }
  const repeats = world.arrivals.length - new Set(world.arrivals.map(({ channel, alert }) => `${channel} ${alert.id}`)).size;
  const allowed = channelNames.length * world.crashes + world.unanswered + world.unrecorded;
  if (repeats > allowed) found.push({ rule: 'once', what: `${repeats} repeats, ${allowed} explained` });
  return found;
}

function unmarked(arrived: readonly Arrival[]): Violation[] {
  return arrived.flatMap(({ alert, delivery }, index) => {
    const earlier = arrived.slice(0, index).filter((other) => other.alert.id === alert.id);
    const isMarked = delivery.mayRepeat || earlier.some(({ delivery: before }) => before.mayComeAgain);
    return earlier.length === 0 || isMarked ? [] : [{ rule: 'marked' as const, what: `${alert.id} came twice without a mark` }];
  });
}

/** What is open and was told, by incident: followed from what is decided, and after a crash from what was kept. */
export type OpenTold = Map<string, { readonly target: string; readonly kind: Alert['event']; isAcknowledged: boolean }>;

/** Long enough for looks, thresholds, graces and flapping to settle; of an objective the windows of its rules. */
const steadyMs = (target: TargetName): number => (target === 'availability' ? 40 * 60_000 : 150_000);

/** As long it may be until an outage is told; of an objective the time to follow its parent, which no start begins anew, and a look. */
const toldWithinMs = 150_000;
const followsWithinMs = 400_000;

/** Judges what the monitor says at a moment beside what is the case. */
export function judgeMoment(world: World, open: OpenTold): Violation[] {
  if (world.process.isDead) return [];
  const told = (target: string): Alert['event'][] => [...open.values()].filter((each) => each.target === target).map(({ kind }) => kind);
  const found: Violation[] = [];
  for (const target of ['db', 'api', 'web', 'availability'] as const) {
    const { state } = world.targets[target];
    const parents = ({ db: [], api: ['db'], web: [], availability: ['api', 'db'] } as const)[target];
    if (target === 'web' && !world.inForce.isWebWatched) continue;
    const followed = Math.max(world.targets[target].sinceMs, ...parents.map((parent) => world.targets[parent].seenMs));
    const isFollowed = target !== 'availability' || world.time.nowMs() - followed >= followsWithinMs;
    const isTroubled = parents.some((parent) => world.targets[parent].state !== 'up');
    const steady =
      world.time.nowMs() -
      Math.max(
        world.targets[target].sinceMs,
        world.startedMs,
        world.lastChangeMs,
        ...parents.map((parent) => world.targets[parent].sinceMs),
      );
    // The windows of an objective lie on the clock of the machine.
    if (world.clockSetMs > -Infinity && target === 'availability') continue;
    const shown = told(target);
    if (state === 'up' && steady >= steadyMs(target) && shown.some((kind) => kind !== 'notice'))
      found.push({ rule: 'ended', what: `${target} has been up for ${steady} ms and is told as ${shown.join()}` });
    const isDown = state === 'down' || (state === 'hangs' && target !== 'availability');
    const isTold = shown.includes('firing') || shown.includes('flapping');
    const isLate = isFollowed && steady >= toldWithinMs && !mayBeQuiet(world, target, world.time.nowMs() - toldWithinMs);
    const mustTell = isDown && !isTroubled && isLate;
    if (mustTell && !isTold) found.push({ rule: 'heard', what: `${target} has been down for ${steady} ms and nobody was told` });
  }
  return found;
}

/** Judges whether what was decided a while ago has come where nothing was ever wrong. */
export function judgeSilence(world: World, expected: readonly Expected[]): Violation[] {
  const { channels, process, startedMs, lastChangeMs, time, inForce, arrivals } = world;
  const isDue = ({ channel, atMs }: Expected): boolean => {
    const { state, troubles } = channels[channel];
    const isWell = state === 'accept' && troubles.size === 0 && inForce.channels.includes(channel) && !process.isDead;
    return isWell && time.nowMs() - Math.max(atMs, startedMs, lastChangeMs) > 30_000;
  };
  return expected
    .filter((each) => isDue(each) && !arrivals.some((arrival) => arrival.channel === each.channel && tells(arrival, each.alert.id)))
    .map(({ channel, alert: { id } }) => ({ rule: 'awake', what: `${channel} has not been told ${id}` }));
}

/** Whether something may have kept back what began since then: clocks that are set make every end of a silence uncertain. */
function mayBeQuiet({ quiets, time, clockSetMs }: World, target: string, sinceMs: number): boolean {
  return quiets.some(({ targets, fromMs, untilMs, endedMs = Infinity }) => {
    const isSet = clockSetMs >= fromMs - 86_400_000 && clockSetMs > -Infinity;
    return targets?.includes(target) !== false && endedMs > sinceMs && fromMs <= time.nowMs() && (isSet || untilMs > sinceMs);
  });
}

/** Judges one alert at the moment of its decision. */
export function judgeDecision(world: World, { alert, atMs }: Decided, open: OpenTold): Violation[] {
  const { event, probe, incidentId, id } = alert;
  const found: Violation[] = [];
  const begins = roleOf(event) === 'opens' || event === 'reminder' || event === 'notice';
  if (begins && !probe.startsWith('monitor.') && isSurelyQuiet(world, probe, atMs))
    found.push({ rule: 'quiet', what: `${id} in a silence or planned work` });
  if (event === 'reminder' && open.get(incidentId)?.isAcknowledged)
    found.push({ rule: 'acknowledged', what: `${id} after somebody took it on` });
  const isFlapping = [...open.values()].some(({ target, kind }) => target === probe && kind === 'flapping');
  if (isFlapping && (event === 'firing' || event === 'flapping'))
    found.push({ rule: 'summary', what: `${id} while its target comes and goes` });
  const turns = Number(/went down or came back (\d+) times/.exec(alert.detail)?.[1]);
  // A turn that a crash kept from the disk is seen again.
  const most = world.turns.get(probe as TargetName) ?? 0;
  const isWatched = alert.detail !== 'it is no longer watched';
  if (event === 'settled' && isWatched && !(turns >= flapTurns && turns <= most + world.crashes))
    found.push({ rule: 'summary', what: `${id} tells ${turns} turns; ${most} were seen` });
  const { db } = world.targets;
  const isDbDown = (db.state === 'down' || db.state === 'hangs') && atMs - Math.max(db.sinceMs, world.startedMs) >= 60_000;
  if (event === 'firing' && probe === 'api' && isDbDown) found.push({ rule: 'parent', what: `${id} beside the outage of db` });
  return found;
}

function isSurelyQuiet({ quiets, clockSetMs, inForce }: World, target: string, atMs: number): boolean {
  return quiets.some(
    ({ of, targets, fromMs, untilMs, endedMs }) =>
      targets?.includes(target) !== false &&
      endedMs === undefined &&
      clockSetMs < fromMs - 120_000 &&
      fromMs < atMs &&
      atMs < untilMs &&
      (of === undefined || of === inForce),
  );
}

/** What was wrong with a channel where it is certain that nothing arrived, so that it is tried again soon. */
const isUnreached = ({ after }: Delay): boolean => after === 'gone' || after === 'failing';

/** Judges how long it took until what had waited came. A burst takes its time: one message a second. */
export const judgeDelays = (delays: readonly Delay[]): Violation[] =>
  delays
    .filter((delay) => isUnreached(delay) && delay.ms > 15_000)
    .map(({ after, ms }) => ({ rule: 'prompt', what: `${ms} ms after ${after}` }));

/** The 99th of 100 first messages after a channel could not be reached, in ms. Pure. */
export function slowest99(delays: readonly Delay[]): number {
  const sorted = delays
    .filter((delay) => delay.isFirst && isUnreached(delay))
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0;
}
