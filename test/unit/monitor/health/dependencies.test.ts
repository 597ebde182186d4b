import { describe, expect, test } from 'vitest';
import { parentHold, type Parent } from '#monitor/health/dependencies.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { Health } from '#monitor/model/look.ts';

const at = (clockMs: number) => ({ at: clockMs, clockMs });

const health = (changes: Partial<Health>): Health => ({ ...initialHealth('up', at(0)), conclusiveAt: at(100), ...changes });

/** Down since 3 failures that began at 50. */
const child = { health: health({ verdict: 'down', failures: 3, failingSince: at(50) }), suppressedBy: undefined, graceMs: 1_000 };

const parent = (changes: Partial<Health>): Parent => ({ name: 'postgresql', health: health(changes) });

describe('the alert of a target that is down', () => {
  test('waits for no one when it depends on nothing', () => {
    expect(parentHold(child, [], 200)).toBeUndefined();
  });

  test('goes out when the parent was found well after the failures began', () => {
    expect(parentHold(child, [parent({})], 200)).toBeUndefined();
  });

  test('is suppressed while the parent is down', () => {
    expect(parentHold(child, [parent({ verdict: 'down' })], 200)).toEqual({ reason: 'parent_down', parent: 'postgresql' });
  });

  test.each([
    ['fails but has not settled', parent({ failures: 1 })],
    ['was last looked at before the failures began', parent({ conclusiveAt: at(40) })],
    ['was never looked at', parent({ conclusiveAt: undefined })],
  ])('is held while the parent %s', (_sentence, unsettled) => {
    expect(parentHold(child, [unsettled], 200)).toEqual({ reason: 'parent_unsettled', parent: 'postgresql' });
  });

  test('is not held by a parent the monitor cannot look at: better one page too many than none', () => {
    expect(parentHold(child, [parent({ fault: 'no resolver', conclusiveAt: undefined, failures: 2 })], 200)).toBeUndefined();
  });

  test('waits a grace time once the parent that explained it is back, and no longer', () => {
    const explained = { ...child, suppressedBy: 'postgresql' };
    const back = parent({ since: at(100) });
    expect(parentHold(explained, [back], 1_099)).toEqual({ reason: 'parent_recovering', parent: 'postgresql' });
    expect(parentHold(explained, [back], 1_100)).toBeUndefined();
  });

  test('a parent that is down speaks louder than one that is unsettled', () => {
    const other = { ...parent({ failures: 1 }), name: 'redis' };
    expect(parentHold(child, [other, parent({ verdict: 'down' })], 200)).toMatchObject({ reason: 'parent_down' });
  });
});
