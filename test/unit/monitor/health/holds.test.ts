import { describe, expect, test } from 'vitest';
import { initialHealth } from '#monitor/health/health-state.ts';
import { holdOf, type Parent, type Question } from '#monitor/health/holds.ts';
import type { Incident } from '#monitor/model/incident.ts';
import type { Health } from '#monitor/model/look.ts';

const at = (clockMs: number) => ({ at: clockMs, clockMs });

const health = (changes: Partial<Health>): Health => ({ ...initialHealth('up', at(0)), conclusiveAt: at(100), ...changes });

/** Down since 3 failures that began at 50. */
const down = health({ verdict: 'down', failures: 3, failingSince: at(50) });

const parent = (changes: Partial<Health>, more: Partial<Parent> = {}): Parent => ({
  name: 'postgresql',
  health: health(changes),
  isFlapping: false,
  ...more,
});

type Asked = { readonly parents?: Parent[][]; readonly clockMs?: number } & Partial<Question>;

const ask = ({ parents = [], clockMs = 200, ...more }: Asked) =>
  holdOf({
    kind: 'down',
    health: down,
    isFlapping: false,
    incident: undefined,
    parents,
    graceMs: 1_000,
    startGraceMs: 500,
    clockMs,
    ...more,
  });

describe('the alert of a target that is down', () => {
  test('waits for no one when it depends on nothing', () => {
    expect(ask({})).toBeUndefined();
  });

  test('goes out when the parent was found well after the failures began', () => {
    expect(ask({ parents: [[parent({})]] })).toBeUndefined();
  });

  test('is suppressed while the parent is down', () => {
    expect(ask({ parents: [[parent({ verdict: 'down' })]] })).toEqual({ reason: 'parent_down', parent: 'postgresql' });
  });

  test('is suppressed while the parent comes and goes', () => {
    expect(ask({ parents: [[parent({}, { isFlapping: true })]] })).toEqual({ reason: 'parent_flapping', parent: 'postgresql' });
  });

  test.each([
    ['fails but has not settled', parent({ failures: 1 })],
    ['was last looked at before the failures began', parent({ conclusiveAt: at(40) })],
    ['was never looked at', parent({ conclusiveAt: undefined })],
  ])('is held while the parent %s', (_sentence, unsettled) => {
    expect(ask({ parents: [[unsettled]] })).toEqual({ reason: 'parent_unsettled', parent: 'postgresql' });
  });

  test('is not held by a parent the monitor cannot look at: better one page too many than none', () => {
    expect(ask({ parents: [[parent({ fault: 'no resolver', conclusiveAt: undefined, failures: 2 })]] })).toBeUndefined();
  });

  test('waits a grace time once the parent that explained it is back, and no longer', () => {
    const incident = { suppressedBy: 'postgresql' } as Incident;
    const parents = [[parent({ backSince: at(100) })]];
    expect(ask({ incident, parents, clockMs: 1_099 })).toEqual({ reason: 'parent_recovering', parent: 'postgresql' });
    expect(ask({ incident, parents, clockMs: 1_100 })).toBeUndefined();
  });

  test('waits no longer when the parent that is back becomes slow meanwhile, and not for one that nobody knows to have been down', () => {
    const incident = { suppressedBy: 'postgresql' } as Incident;
    expect(
      ask({ incident, parents: [[parent({ verdict: 'degraded', since: at(1_050), backSince: at(100) })]], clockMs: 1_100 }),
    ).toBeUndefined();
    expect(ask({ incident, parents: [[parent({ since: at(100) })]] })).toBeUndefined();
  });

  test('a parent that is down speaks louder than one that is unsettled', () => {
    const other = { ...parent({ failures: 1 }), name: 'redis' };
    expect(ask({ parents: [[other], [parent({ verdict: 'down' })]] })).toMatchObject({ reason: 'parent_down' });
  });

  test('waits for its time to come up when it was never up yet, and no longer', () => {
    const awaited = { ...down, awaitedSince: at(0) };
    expect(ask({ health: awaited, clockMs: 499 })).toEqual({ reason: 'starting' });
    expect(ask({ health: awaited, clockMs: 500 })).toBeUndefined();
    expect(ask({ clockMs: 499 })).toBeUndefined();
  });

  test('does not begin with an answer: a target that answers again may be up in a moment', () => {
    expect(ask({ health: { ...down, failures: 0, successes: 1 } })).toEqual({ reason: 'recovering' });
  });

  test('names its parent rather than its own start', () => {
    const awaited = { ...down, awaitedSince: at(0) };
    expect(ask({ health: awaited, parents: [[parent({ verdict: 'down' })]] })).toEqual({ reason: 'parent_down', parent: 'postgresql' });
  });

  test('waits while it comes and goes itself, but what says so does not', () => {
    expect(ask({ isFlapping: true })).toEqual({ reason: 'flapping' });
    expect(ask({ isFlapping: true, kind: 'flapping' })).toBeUndefined();
  });
});

const a = (changes: Partial<Health>) => parent(changes, { name: 'api-a' });
const b = (changes: Partial<Health>) => parent(changes, { name: 'api-b' });

describe('a target for which one of two is enough', () => {
  test.each([
    ['is told while one of them is well', [a({ verdict: 'down' }), b({})], undefined],
    ['is explained when both are down', [a({ verdict: 'down' }), b({ verdict: 'down' })], { reason: 'parent_down', parent: 'api-a' }],
    [
      'waits while the other may go down too',
      [a({ verdict: 'down' }), b({ failures: 1 })],
      { reason: 'parent_unsettled', parent: 'api-b' },
    ],
  ])('%s', (_sentence, group, hold) => {
    expect(ask({ parents: [group] })).toEqual(hold);
  });
});
