// The queue of messages through restarts, full disks and channels that come and go, over one small world of it; so it is long.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Logger } from '#lib/logger.ts';
import { createOutbox } from '#monitor/alerts/outbox.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { StoreChanges } from '#monitor/store/store.ts';
import { buildAlert, createWorld, type World } from './outbox-world.ts';

function openWorld(): World {
  const world = createWorld();
  onTestFinished(() => world.close());
  return world;
}

const titles = ({ arrivals }: World, channel: string): string[] =>
  arrivals.filter((arrival) => arrival.channel === channel).map(({ alert }) => alert.id);

const minuteMs = 60_000;

describe('the outbox', () => {
  test('wakes its channels for an alert, and for nothing else', () => {
    const world = openWorld();
    let woken = 0;
    world.process.outbox.onQueued(() => void (woken += 1));
    world.process.outbox.commit({ health: [], incidents: [], alerts: [] });
    expect(woken).toBe(0);
    world.commit(buildAlert('a', 'firing', world.now.at));
    expect(woken).toBe(1);
  });

  test('takes the same alert once, and a reminder as another message', async () => {
    const world = openWorld();
    const firing = buildAlert('a', 'firing', world.now.at);
    const reminders = [1, 2].map((n) => ({ ...buildAlert('a', 'reminder', world.now.at), id: `a.reminder.${n}` }));
    world.commit(firing);
    world.commit(firing);
    await world.settle(minuteMs);
    for (const reminder of reminders) {
      world.commit(reminder);
      await world.settle(minuteMs);
    }
    expect(titles(world, 'slack')).toEqual(['a.firing.1', 'a.reminder.1', 'a.reminder.2']);
  });

  test('sends later alerts while one message is refused for ever with a passing code, and sets that one aside in the end', async () => {
    const world = openWorld();
    const poison = buildAlert('poison', 'firing', world.now.at);
    const { process } = world;
    world.behaviours.email = 'refuse';
    world.commit(poison);
    await world.step('email');
    world.commit(buildAlert('b', 'firing', world.now.at, 'shop'));
    world.behaviours.email = 'accept';
    await world.step('email');
    expect(titles(world, 'email')).toEqual(['b.firing.1']);
    world.behaviours.email = 'refuse';
    for (let time = 0; time < 60; time += 1) {
      world.pass(5 * minuteMs);
      await world.step('email');
    }
    expect(world.setAside).toEqual(['email poison.firing.1']);
    expect(process.outbox.pending('email')).toEqual([]);
    expect(world.store.channelTotals('email', 0).failed).toBe(1);
  });

  test('is not stopped by a clock that is set back while a message waits', async () => {
    const world = openWorld();
    world.behaviours.slack = 'down';
    world.commit(buildAlert('a', 'firing', world.now.at));
    await world.step('slack');
    world.setClock(-60 * minuteMs);
    world.behaviours.slack = 'accept';
    world.pass(2_000);
    await world.step('slack');
    expect(titles(world, 'slack')).toEqual(['a.firing.1']);
  });

  test('neither hurries nor gives up when the clock is set forward by years', async () => {
    const world = openWorld();
    world.behaviours.slack = 'broken';
    world.commit(buildAlert('a', 'firing', world.now.at));
    await world.step('slack');
    world.setClock(10 * 365 * 86_400_000);
    expect(await world.step('slack')).toBeGreaterThan(minuteMs);
    expect(world.process.outbox.pending('slack')).toHaveLength(1);
  });

  test('tells six short outages during an outage of Slack in one message', async () => {
    const world = openWorld();
    world.behaviours.slack = 'down';
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
      world.commit(buildAlert(id, 'firing', world.now.at));
      world.pass(20_000);
      await world.step('slack');
      world.commit(buildAlert(id, 'resolved', world.now.at));
      world.pass(20_000);
      await world.step('slack');
    }
    world.pass(minuteMs);
    world.behaviours.slack = 'accept';
    await world.settle(10 * minuteMs);
    expect(titles(world, 'slack')).toEqual(['f.resolved.1']);
    expect(world.arrivals[0]?.delivery.tellsToo).toHaveLength(11);
    expect(world.process.outbox.pending('slack')).toEqual([]);
    world.crash();
    expect(world.process.outbox.pending('slack')).toEqual([]);
  });

  test('sends what was committed before the disk filled up, and what happens while it is full; after that all is on record', async () => {
    const world = openWorld();
    world.behaviours.slack = 'down';
    world.commit(buildAlert('before', 'firing', world.now.at));
    await world.step('slack');
    world.isDiskFull = true;
    world.behaviours.slack = 'accept';
    world.commit(buildAlert('during', 'firing', world.now.at, 'shop'));
    await world.settle(5_000);
    expect(titles(world, 'slack')).toEqual(['before.firing.1', 'during.firing.1']);
    expect(world.arrivals.every(({ delivery }) => delivery.mayComeAgain)).toBe(true);
    expect(world.process.outbox.storeFault()).toMatchObject({ why: 'the disk is full' });
    world.isDiskFull = false;
    await world.settle(5_000);
    expect(world.process.outbox.storeFault()).toBeUndefined();
    expect(world.store.pendingMessages()).toEqual([]);
    world.crash();
    await world.settle(minuteMs);
    expect(titles(world, 'slack')).toHaveLength(2);
  });

  test('keeps at most 500 messages for a channel, and shows those it set aside for that', () => {
    const world = openWorld();
    world.behaviours.slack = 'down';
    for (let count = 0; count < 520; count += 1) world.commit(buildAlert(`i${count}`, 'firing', world.now.at));
    expect(world.process.outbox.pending('slack')).toHaveLength(500);
    expect(world.process.outbox.pending('slack')[0]?.alert.id).toBe('i20.firing.1');
    expect(world.store.channelTotals('slack', 0).failed).toBe(20);
  });

  test('queues again at a start what was set aside within a day, since the settings may have been mended', async () => {
    const world = openWorld();
    for (const state of ['failed', 'sent'] as const) {
      world.commit(buildAlert(state, 'firing', world.now.at));
      const [message] = world.process.outbox.pending('slack');
      if (message) world.process.outbox.settle(world.process.outbox.begin([message]).begun[0] ?? message, { state, refusals: 40 });
    }
    world.crash();
    expect(world.process.outbox.pending('slack').map(({ alert, refusals }) => [alert.id, refusals])).toEqual([['failed.firing.1', 0]]);
    await world.settle(minuteMs);
    expect(titles(world, 'slack')).toEqual(['failed.firing.1']);
  });
});

const startAt = Date.parse('2026-11-24T02:00:00Z');

/** An outbox that serves Slack and email over the real store, on a disk that fills up when told, and what it says in its log. */
function openOutbox() {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const said: unknown[] = [];
  const written: StoreChanges[] = [];
  const disk = { isFull: false, isUnreadable: false };
  const now = { at: startAt, clockMs: 1_000 };
  const read = <T>(rows: () => T): T => {
    if (disk.isUnreadable) throw new StoreError('the disk is gone');
    return rows();
  };
  const logger = {
    error: (fields: object, text: string) => void said.push([text, fields]),
    info: (text: string) => void said.push([text]),
  } as unknown as Logger;
  const outbox = createOutbox({
    store: {
      write: (changes) => {
        if (disk.isFull) throw new StoreError('the disk is full');
        written.push(changes);
        store.write(changes);
      },
      pendingMessages: () => read(store.pendingMessages),
      failedMessages: (since) => read(() => store.failedMessages(since)),
    },
    clock: () => now,
    logger,
  });
  outbox.serve(['slack', 'email'], startAt);
  const queue = (id: string, except: readonly string[] = []): void =>
    outbox.commit({ health: [], incidents: [], alerts: [buildAlert(id, 'firing', now.at)] }, except);
  const waiting = (channel: string): string[] => outbox.pending(channel).map(({ alert }) => alert.incidentId);
  const onDisk = (): string[] => store.pendingMessages().map(({ channel, alert }) => `${channel} ${alert.incidentId}`);
  const first = (channel: string) => {
    const [message] = outbox.pending(channel);
    if (!message) throw new Error(`nothing waits for ${channel}`);
    return message;
  };
  return { store, outbox, disk, now, said, written, queue, waiting, onDisk, first };
}

const healthOf = (probe: string, detail: string) => ({ probe, verdict: 'down', since: 1, checkedAt: 2, latencyMs: 1.5, detail }) as const;
const incidentOf = (id: string, endedAt?: number): Incident => ({
  id,
  kind: 'down',
  probe: id,
  startedAt: 1,
  detectedAt: 2,
  detail: 'refused',
  firedAt: 3,
  reminders: 0,
  lastToldAt: 3,
  suppressedBy: undefined,
  endedAt,
});

describe('what the outbox has on record', () => {
  test('is each message before anything is sent, for each channel but those excepted', () => {
    const { queue, waiting, onDisk } = openOutbox();
    queue('a');
    queue('b', ['email']);
    expect(onDisk()).toEqual(['slack a', 'email a', 'slack b']);
    expect(waiting('slack')).toEqual(['a', 'b']);
    expect(waiting('email')).toEqual(['a']);
    expect(waiting('pager')).toEqual([]);
  });

  test('is that a send began, so that a crash leaves the message counted and uncertain', () => {
    const { outbox, store, queue, first } = openOutbox();
    queue('a', ['email']);
    expect(first('slack')).toMatchObject({ attempts: 0, isUncertain: false });
    const { begun, isRecorded } = outbox.begin([first('slack')]);
    expect(isRecorded).toBe(true);
    expect(begun).toMatchObject([{ attempts: 1, isUncertain: true }]);
    expect(store.pendingMessages()).toMatchObject([{ attempts: 1, isUncertain: true }]);
  });

  test('is when a message was settled, and no such moment while it still waits', () => {
    const { outbox, store, now, queue, first } = openOutbox();
    queue('a', ['email']);
    outbox.begin([first('slack')]);
    outbox.settle(first('slack'), { state: 'pending', refusals: 1, lastError: 'no' });
    expect(store.pendingMessages()).toMatchObject([{ refusals: 1, settledAt: undefined }]);
    outbox.settle(first('slack'), { state: 'failed', refusals: 2, lastError: 'no' });
    expect(store.failedMessages(0)).toMatchObject([{ settledAt: now.at, refusals: 2, lastError: 'no' }]);
    expect(outbox.pending('slack')).toEqual([]);
  });

  test('is how a send ended whose channel was taken away meanwhile', () => {
    const { outbox, store, queue, first, waiting } = openOutbox();
    for (const id of ['a', 'b']) queue(id, ['email']);
    const { begun } = outbox.begin(outbox.pending('slack'));
    const [a = first('slack'), b = first('slack')] = begun;
    outbox.serve(['email'], startAt);
    outbox.settle(a, { state: 'sent' });
    outbox.settle(b, { state: 'pending', refusals: 1 });
    expect(store.pendingMessages()).toMatchObject([{ alert: { incidentId: 'b' }, refusals: 1 }]);
    expect(waiting('slack')).toEqual([]);
  });

  test('is not undone by the same alert committed again while it is sent', () => {
    const { outbox, queue, first } = openOutbox();
    queue('a', ['email']);
    outbox.begin([first('slack')]);
    queue('a', ['email']);
    expect(first('slack')).toMatchObject({ attempts: 1, isUncertain: true });
  });

  test('is what a tick found, beside its messages or without any', () => {
    const { outbox, store } = openOutbox();
    outbox.commit({ health: [healthOf('api', 'refused')], incidents: [incidentOf('i')], alerts: [] });
    expect(store.loadHealth()).toEqual([healthOf('api', 'refused')]);
    expect(store.openIncidents()).toEqual([incidentOf('i')]);
    outbox.commit({ health: [healthOf('api', 'timeout')], incidents: [], alerts: [buildAlert('a', 'firing', startAt)] }, ['email']);
    expect(store.loadHealth()).toEqual([healthOf('api', 'timeout')]);
    expect(store.pendingMessages()).toHaveLength(1);
  });

  test('is asked of the store only when something changed, and each change once', () => {
    const { outbox, written, queue } = openOutbox();
    outbox.flush();
    expect(outbox.begin([])).toEqual({ begun: [], isRecorded: true });
    expect(written).toEqual([]);
    queue('a', ['email']);
    outbox.flush();
    expect(written).toHaveLength(1);
    expect(written).toMatchObject([{ health: [], incidents: [], messages: [{ channel: 'slack' }] }]);
  });

  test('is why a message was set aside when too many waited, which the log says too', () => {
    const { store, said, now, queue } = openOutbox();
    for (let count = 0; count <= 500; count += 1) queue(`i${count}`, ['email']);
    expect(store.failedMessages(0)).toMatchObject([{ lastError: 'more than 500 messages waited', settledAt: now.at }]);
    expect(said).toEqual([['too many messages wait; the oldest is set aside', { channel: 'slack', alertId: 'i0.firing.1' }]]);
  });
});

describe('a store that takes nothing', () => {
  test('is told once with its reason and since when, and once that it is well', () => {
    const { outbox, disk, now, said, queue, first } = openOutbox();
    disk.isFull = true;
    queue('a');
    expect(said).toHaveLength(1);
    now.clockMs += 5_000;
    expect(outbox.begin([first('slack')]).isRecorded).toBe(false);
    expect(outbox.storeFault()).toEqual({ why: 'the disk is full', sinceMs: 1_000 });
    expect(said).toEqual([['the store refuses to write; alerts go on from memory', { err: new StoreError('the disk is full') }]]);
    disk.isFull = false;
    outbox.flush();
    queue('b');
    expect(outbox.storeFault()).toBeUndefined();
    expect(said.slice(1)).toEqual([['the store takes writes again']]);
  });

  test('has everything once it is well, each row as it last was', () => {
    const { outbox, store, disk, queue, onDisk } = openOutbox();
    disk.isFull = true;
    for (const detail of ['refused', 'timeout']) outbox.commit({ health: [healthOf('api', detail)], incidents: [], alerts: [] });
    outbox.commit({ health: [], incidents: [incidentOf('i')], alerts: [] });
    queue('a');
    queue('b');
    disk.isFull = false;
    outbox.flush();
    expect(store.loadHealth()).toEqual([healthOf('api', 'timeout')]);
    expect(store.openIncidents()).toEqual([incidentOf('i')]);
    expect(onDisk()).toEqual(['slack a', 'email a', 'slack b', 'email b']);
  });

  test('costs at most 2,000 messages of memory, and no message that still waits while one that is over can go', () => {
    const { outbox, store, disk, queue, onDisk } = openOutbox();
    disk.isFull = true;
    queue('waits', ['slack']);
    for (let count = 0; count < 2_010; count += 1) queue(`i${count}`, ['email']);
    disk.isFull = false;
    outbox.flush();
    expect(onDisk()).toHaveLength(501);
    expect(onDisk()[0]).toBe('email waits');
    expect(store.failedMessages(0)).toHaveLength(1_499);
  });

  test.each([
    ['one that is over', 9, 'over'],
    ['the oldest, when none is over', undefined, 'oldest'],
  ])('costs at most 2,000 incidents of memory, and forgets %s', (_, endedAt, forgotten) => {
    const { outbox, store, disk } = openOutbox();
    const ids = ['oldest', 'over', ...Array.from({ length: 1_998 }, (_each, n) => `i${n}`)];
    const add = (...incidents: Incident[]): void => outbox.commit({ health: [], incidents, alerts: [] });
    disk.isFull = true;
    add(...ids.map((id) => incidentOf(id, id === 'over' ? endedAt : undefined)));
    add(incidentOf('one more'));
    disk.isFull = false;
    outbox.flush();
    const kept = new Set([...store.recentIncidents(3_000), ...store.openIncidents()].map(({ id }) => id));
    expect([...ids, 'one more'].filter((id) => !kept.has(id))).toEqual([forgotten]);
  });

  test('that cannot be read either does not keep new alerts from being queued', () => {
    const { outbox, disk, said, queue, waiting } = openOutbox();
    disk.isUnreadable = true;
    outbox.serve(['slack'], startAt);
    expect(waiting('slack')).toEqual([]);
    expect(said).toContainEqual(['messages of before cannot be read', { err: new StoreError('the disk is gone') }]);
    queue('a');
    expect(waiting('slack')).toEqual(['a']);
  });
});

describe('after a reload the outbox', () => {
  test('serves a channel no longer that is gone, and has its messages again when it comes back', () => {
    const { outbox, queue, waiting } = openOutbox();
    queue('a');
    outbox.serve(['slack'], startAt);
    queue('b');
    expect(waiting('slack')).toEqual(['a', 'b']);
    expect(waiting('email')).toEqual([]);
    outbox.serve(['slack', 'email'], startAt);
    expect(waiting('email')).toEqual(['a']);
  });

  test('has what was decided while there was no channel at all, once, and over a restart', () => {
    const { store, outbox, queue, waiting } = openOutbox();
    outbox.serve([], startAt);
    queue('a');
    const next = createOutbox({ store, clock: () => ({ at: startAt, clockMs: 0 }), logger: { error: () => {}, info: () => {} } as never });
    next.serve([], startAt);
    next.serve(['slack', 'email'], startAt);
    for (const channel of ['slack', 'email']) expect(next.pending(channel).map(({ alert }) => alert.incidentId)).toEqual(['a']);
    next.serve(['slack', 'email', 'webhook'], startAt);
    expect(next.pending('webhook')).toEqual([]);
    expect(waiting('slack')).toEqual([]);
  });

  test('has it for a channel that was named for an instant only, once that is named again', () => {
    const { outbox, queue, waiting } = openOutbox();
    outbox.serve([], startAt);
    queue('a');
    outbox.serve(['email'], startAt);
    outbox.serve(['slack'], startAt);
    queue('b');
    outbox.serve(['slack', 'email'], startAt);
    expect(waiting('email')).toEqual(['a']);
    expect(waiting('slack')).toEqual(['b']);
  });

  test('holds what the disk never took, and of what it took the later state, due at once', () => {
    const { outbox, disk, queue, first } = openOutbox();
    queue('a', ['email']);
    disk.isFull = true;
    queue('b', ['email']);
    const [begun = first('slack')] = outbox.begin([first('slack')]).begun;
    outbox.settle(begun, { state: 'pending', notBeforeMs: 90_000 });
    outbox.serve(['slack', 'email'], startAt);
    expect(outbox.pending('slack')).toMatchObject([
      { alert: { incidentId: 'a' }, attempts: 1, notBeforeMs: 0 },
      { alert: { incidentId: 'b' }, attempts: 0, notBeforeMs: 0 },
    ]);
  });

  test('holds nothing that went out while the disk took nothing, whatever the disk says of it', () => {
    const { outbox, disk, queue, first, waiting } = openOutbox();
    for (const name of ['sent', 'merged', 'aside']) queue(name, ['email']);
    disk.isFull = true;
    for (const state of ['sent', 'merged', 'failed'] as const) {
      const [begun = first('slack')] = outbox.begin([first('slack')]).begun;
      outbox.settle(begun, { state, refusals: state === 'failed' ? 40 : 0 });
    }
    outbox.serve(['slack', 'email'], startAt);
    // What was set aside is tried again at each start.
    expect(waiting('slack')).toEqual(['aside']);
    expect(first('slack')).toMatchObject({ refusals: 0 });
  });

  test('holds what was queued for a channel while the disk took nothing, though the channel was taken away in between', () => {
    const { outbox, disk, queue, waiting } = openOutbox();
    disk.isFull = true;
    queue('a');
    outbox.serve(['slack'], startAt);
    outbox.serve(['slack', 'email'], startAt);
    expect(waiting('email')).toEqual(['a']);
  });

  test('queues again what was set aside, on record, and leaves that of a channel it does not serve', () => {
    const { outbox, store, queue, first, onDisk } = openOutbox();
    queue('a');
    for (const channel of ['slack', 'email']) {
      const [begun = first(channel)] = outbox.begin([first(channel)]).begun;
      outbox.settle(begun, { state: 'failed', refusals: 40 });
    }
    let woken = 0;
    outbox.onQueued(() => void (woken += 1));
    outbox.serve(['slack'], startAt);
    expect(onDisk()).toEqual(['slack a']);
    expect(first('slack')).toMatchObject({ refusals: 0, settledAt: undefined, notBeforeMs: 0 });
    expect(store.failedMessages(0).map(({ channel }) => channel)).toEqual(['email']);
    expect(woken).toBe(1);
  });
});
