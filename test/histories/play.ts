import { AppError, messageOf } from '#lib/errors.ts';
import { roleOf, type Alert } from '#monitor/model/alert.ts';
import {
  judgeDecision,
  judgeDelays,
  judgeDelivery,
  judgeMoment,
  judgeSilence,
  type Delay,
  type Expected,
  type OpenTold,
  type Violation,
} from './judge.ts';
import { channelNames, historyOf, targetNames, usual, type ChannelName, type Step } from './steps.ts';
import type { World } from './world.ts';

export type Played = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly delays: readonly Delay[];
  readonly decided: number;
  readonly arrived: number;
  readonly repeated: number;
  readonly crashes: number;
};

/** Plays the history of a seed, lets everything recover, and judges. */
export async function play(world: World, seed: number): Promise<Played> {
  const { begins, steps } = historyOf(seed);
  const violations: Violation[] = [];
  let expected: Expected[] = [];
  let open: OpenTold = new Map();
  /** Decided while there was nobody to tell: of the first that is configured. */
  let unaddressed: Alert[] = [];
  let seen = 0;
  const follow = (): void => {
    for (const decided of world.decided.slice(seen)) {
      const { alert, channels } = decided;
      violations.push(...judgeDecision(world, decided, open));
      expected.push(...channels.map((channel) => ({ channel: channel as ChannelName, alert, atMs: decided.atMs })));
      if (channels.length === 0 && world.inForce.channels.length === 0) unaddressed.push(alert);
      const role = roleOf(alert.event);
      if (role === 'opens') open.set(alert.incidentId, { target: alert.probe, kind: alert.event, isAcknowledged: false });
      if (role === 'closes') open.delete(alert.incidentId);
      const told = open.get(alert.incidentId);
      if (alert.event === 'acknowledged' && told) told.isAcknowledged = true;
    }
    seen = world.decided.length;
    if (world.inForce.channels.length === 0) return;
    for (const alert of unaddressed)
      for (const channel of world.inForce.channels) expected.push({ channel, alert, atMs: world.lastChangeMs });
    unaddressed = [];
  };
  world.onCrash = () => {
    follow();
    const isForgetful = world.process.outbox.storeFault() !== undefined || world.isDiskFull;
    const kept = new Set(
      (world.database.prepare('SELECT channel, alert_id FROM messages').all() as { channel: string; alert_id: string }[]).map(
        (row) => `${row.channel} ${row.alert_id}`,
      ),
    );
    const lost = expected.filter(({ channel, alert }) => !kept.has(`${channel} ${alert.id}`) && !hasArrived(world, channel, alert.id));
    if (!isForgetful)
      for (const { channel, alert } of lost) violations.push({ rule: 'kept', what: `${channel} ${alert.id} is not on disk` });
    expected = expected.filter((each) => !lost.includes(each));
    if (isForgetful) unaddressed = unaddressed.filter((alert) => [...kept].some((key) => key.endsWith(` ${alert.id}`)));
    const stored = world.store.openIncidents().filter(({ firedAt, kind }) => firedAt !== undefined && kind !== 'degraded');
    if (
      !isForgetful &&
      [...open.keys()].toSorted().join() !==
        stored
          .map(({ id }) => id)
          .toSorted()
          .join()
    )
      violations.push({ rule: 'kept', what: `open on disk: ${stored.map(({ id }) => id).join()}; told: ${[...open.keys()].join()}` });
    open = new Map(
      stored.map(({ id, probe, kind, acknowledged }) => [
        id,
        {
          target: probe,
          kind: kind === 'down' || kind === 'self' ? 'firing' : (kind as Alert['event']),
          isAcknowledged: acknowledged !== undefined,
        },
      ]),
    );
  };
  const pass = async (ms: number): Promise<void> => {
    for (const endMs = world.time.nowMs() + ms; world.time.nowMs() < endMs;) {
      await world.time.pass(Math.min(30_000, endMs - world.time.nowMs()));
      follow();
      violations.push(...judgeMoment(world, open), ...judgeSilence(world, expected));
    }
  };

  world.reset(begins, seed);
  await pass(60_000);
  for (const step of steps) {
    await take(world, step, pass);
    await world.time.pass(0);
    follow();
  }
  await recover(world, pass);
  const delays = delaysOf(world);
  violations.push(...judgeDelivery(world, expected), ...judgeDelays(delays));
  for (const [id] of open) violations.push({ rule: 'ended', what: `${id} was never told as ended` });
  if (world.failure !== undefined) violations.push({ rule: 'running', what: messageOf(world.failure) });
  world.process.isDead = true;
  const { arrivals, decided, crashes } = world;
  const repeated = arrivals.length - new Set(arrivals.map(({ channel, alert }) => `${channel} ${alert.id}`)).size;
  return { seed, violations, delays, decided: decided.length, arrived: arrivals.length, repeated, crashes };
}

const hasArrived = ({ arrivals }: World, name: string, id: string): boolean =>
  arrivals.some(
    ({ channel, alert, delivery }) => channel === name && (alert.id === id || delivery.tellsToo.some((other) => other.id === id)),
  );

async function take(world: World, step: Step, pass: (ms: number) => Promise<void>): Promise<void> {
  const { time } = world;
  if (step.do === 'target') world.setTarget(step.target, step.state);
  if (step.do === 'channel') world.setChannel(step.channel, step.state);
  if (step.do === 'disk') world.isDiskFull = step.isFull;
  if (step.do === 'crash') world.crash(step.forMs);
  if (step.do === 'configure') world.configure(step.settings);
  if (step.do === 'misconfigure') world.configure(world.written, true);
  if (step.do === 'pass') await pass(step.ms);
  if (step.do === 'clock') world.setClock(step.byMs);
  if (step.do === 'flap') {
    for (let turn = 0; turn < step.turns; turn += 1) {
      world.setTarget(step.target, turn % 2 === 0 ? 'down' : 'up');
      await pass(18_000);
    }
  }
  if (world.process.isDead) return;
  if (step.do === 'ack') tried(() => world.process.command({ do: 'ack', of: step.target, by: 'ann' }));
  if (step.do === 'unsilence') endSilences(world);
  if (step.do === 'silence') {
    const { targets, forMs } = step;
    const [fromMs, fromAt] = [time.nowMs(), time.at()];
    const isAdded = tried(() =>
      world.process.command({ do: 'silence', targets: targets && [...targets], for_ms: forMs, by: 'ann', reason: 'work' }),
    );
    if (isAdded)
      world.quiets.push({ kind: 'silence', targets: targets ?? undefined, fromMs, untilMs: fromMs + forMs, fromAt, endedMs: undefined });
  }
}

/** What the monitor refuses in words is no failure of it. */
function tried(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (err) {
    if (err instanceof AppError) return false;
    throw err;
  }
}

function endSilences(world: World): void {
  for (const { number } of world.store.silences()) {
    if (!tried(() => world.process.command({ do: 'unsilence', name: `s${number}`, by: 'ann' }))) continue;
    const quiet = world.quiets.filter(({ kind }) => kind === 'silence')[number - 1];
    if (quiet) quiet.endedMs ??= world.time.nowMs();
  }
}

/** Everything is mended, and time enough passes for all to be told; for an objective the windows that look back. */
async function recover(world: World, pass: (ms: number) => Promise<void>): Promise<void> {
  const hadErrors = world.answers.bad > 0;
  world.isDiskFull = false;
  for (const channel of channelNames) world.setChannel(channel, 'accept');
  for (const target of targetNames) world.setTarget(target, 'up');
  await pass(60_000);
  endSilences(world);
  world.configure(usual);
  await pass(hadErrors ? 45 * 60_000 + world.setBackMs : 8 * 60_000);
}

/** How long each message that had to wait for its channel took once that was back. */
function delaysOf({ arrivals, decided }: World): Delay[] {
  const decidedMs = new Map(decided.map(({ alert, atMs }) => [alert.id, atMs]));
  return arrivals.flatMap(({ alert, waited, atMs }): Delay[] => {
    const isLate = waited !== undefined && (decidedMs.get(alert.id) ?? Infinity) < waited.backMs;
    return isLate ? [{ ...waited, ms: atMs - waited.backMs }] : [];
  });
}
