import { describe, expect, onTestFinished, test } from 'vitest';
import type { Moment } from '#monitor/model/look.ts';
import { createSilences, silenceOf, type Silences } from '#monitor/quiet/silences.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore } from '#monitor/store/store.ts';

const minute = 60_000;

type World = { now: Moment; readonly store: MonitorStore; readonly start: () => Silences };

function createWorld(): World {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const world: World = {
    now: { at: Date.parse('2026-11-26T05:00:00Z'), clockMs: 0 },
    store,
    start: () => createSilences({ store, clock: () => world.now }),
  };
  return world;
}

const pass = (world: World, ms: number): void => void (world.now = { at: world.now.at + ms, clockMs: world.now.clockMs + ms });
const request = { targets: ['api'], forMs: 30 * minute, by: 'ana', reason: 'deploy' };
const namesOf = (silences: Silences, world: World): string[] => silences.inForce(world.now).map(({ number }) => `s${number}`);

describe('a silence', () => {
  test('holds for its targets and its time only', () => {
    const world = createWorld();
    const silences = world.start();
    silences.add(request);
    const inForce = silences.inForce(world.now);
    expect(silenceOf('api', inForce)).toEqual({ kind: 'silence', name: 's1', until: world.now.at + 30 * minute });
    expect(silenceOf('postgresql', inForce)).toBeUndefined();
    pass(world, 30 * minute - 1);
    expect(namesOf(silences, world)).toEqual(['s1']);
    pass(world, 1);
    expect(namesOf(silences, world)).toEqual([]);
  });

  test('of every target holds for each, and the one that ends last counts', () => {
    const world = createWorld();
    const silences = world.start();
    silences.add({ ...request, targets: undefined });
    silences.add({ ...request, forMs: 60 * minute });
    expect(silenceOf('postgresql', silences.inForce(world.now))?.name).toBe('s1');
    expect(silenceOf('api', silences.inForce(world.now))?.name).toBe('s2');
  });

  test('outlives a restart, and numbers go on', () => {
    const world = createWorld();
    world.start().add(request);
    pass(world, 10 * minute);
    const restarted = world.start();
    expect(namesOf(restarted, world)).toEqual(['s1']);
    expect(restarted.add(request).number).toBe(2);
    pass(world, 20 * minute);
    expect(namesOf(restarted, world)).toEqual(['s2']);
  });

  test('is not made longer by a clock that is set back, and ends when one is set forward past its end', () => {
    const world = createWorld();
    const silences = world.start();
    silences.add(request);
    world.now = { at: world.now.at - 24 * 60 * minute, clockMs: 30 * minute };
    expect(namesOf(silences, world)).toEqual([]);
    silences.add(request);
    world.now = { at: world.now.at + 31 * minute, clockMs: world.now.clockMs };
    expect(namesOf(silences, world)).toEqual([]);
  });

  test('can be ended before its time, once, and both are on the timeline', () => {
    const world = createWorld();
    const silences = world.start();
    silences.add(request);
    pass(world, minute);
    silences.end('s1', 'bob');
    expect(namesOf(silences, world)).toEqual([]);
    expect(() => silences.end('s1', 'bob')).toThrow('no silence s1 is in force');
    expect(namesOf(world.start(), world)).toEqual([]);
    expect(world.store.recentTimeline(10)).toMatchObject([
      { event: 'unsilenced', by: 'bob', detail: 's1: api' },
      { event: 'silenced', by: 'ana', detail: 's1: api until 2026-11-26 05:30:00 UTC: deploy' },
    ]);
  });

  test('goes on by no clock that is set back before a restart once it was ended, and by no more than its length once it ran out', () => {
    const world = createWorld();
    const silences = world.start();
    silences.add(request);
    pass(world, 10 * minute);
    silences.end('s1', 'bob');
    silences.add({ ...request, forMs: 5 * minute });
    pass(world, 5 * minute);
    for (const backMs of [1, 3 * minute, 7 * minute, 12 * minute, 16 * minute]) {
      world.now = { ...world.now, at: world.now.at - backMs };
      const isSecondAgain = backMs <= 5 * minute;
      expect(namesOf(world.start(), world)).toEqual(isSecondAgain ? ['s2'] : []);
      world.now = { ...world.now, at: world.now.at + backMs };
    }
  });

  test('that cannot be put on record does not hold', () => {
    const world = createWorld();
    const store = {
      ...world.store,
      write: () => {
        throw new StoreError('the disk is full');
      },
    };
    const silences = createSilences({ store, clock: () => world.now });
    expect(() => silences.add(request)).toThrow('the disk is full');
    expect(namesOf(silences, world)).toEqual([]);
  });
});
