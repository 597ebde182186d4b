import { describe, expect, onTestFinished, test } from 'vitest';
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
