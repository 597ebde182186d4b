import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAlert } from '#monitor/health/alert-policy.ts';
import type { Incident, IncidentKind } from '#monitor/model/incident.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import { planTick, type TickPlan, type WatchState } from '#monitor/health/plan-tick.ts';
import type { TargetRules } from '#monitor/health/target.ts';
import { troubles } from '#monitor/health/troubles.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { ProbeResult } from '#monitor/model/look.ts';

const graceMs = 5_000;
const silent = { slowMs: Infinity, unknownAfterMs: Infinity, warnAfterMs: Infinity, remindAfterMs: Infinity, startGraceMs: 0 };
const rulesFor = (name: string, dependsOn: readonly string[], changes: Partial<TargetRules> = {}): TargetRules => ({
  name,
  dependsOn: dependsOn.map((parent) => [parent]),
  degradedBy: [],
  thresholds: { failures: 3, successes: 2 },
  graceMs,
  patience: silent,
  flap: undefined,
  ...changes,
});
const rules: readonly TargetRules[] = [rulesFor('postgresql', []), rulesFor('api', ['postgresql']), rulesFor('shop', ['api'])];

const initialState: WatchState = {
  health: Object.fromEntries(rules.map(({ name }) => [name, initialHealth('none', { at: 0, clockMs: 0 })])),
  incidents: [],
};

type Look = readonly [probe: string, outcome: ProbeResult['outcome'], clockMs: number];

type Played = { readonly alerts: readonly Alert[]; readonly state: WatchState; readonly plans: readonly TickPlan[] };

function play(looks: readonly Look[], from: WatchState = initialState, by: readonly TargetRules[] = rules): Played {
  let state = from;
  const plans = looks.map(([probe, outcome, clockMs]) => {
    const plan = planTick(by, state, {
      probe,
      result: { outcome, detail: `${probe} ${outcome}`, latencyMs: 1, at: clockMs, clockMs },
      now: { at: clockMs + 1, clockMs: clockMs + 1 },
    });
    state = plan.state;
    return plan;
  });
  return { state, plans, alerts: plans.flatMap(({ commit }) => commit.alerts) };
}

const times = (probe: string, outcome: ProbeResult['outcome'], from: number, count: number): Look[] =>
  Array.from({ length: count }, (_, index) => [probe, outcome, from + index * 10]);

const open = (state: WatchState, name: string, kind: IncidentKind = 'down'): Incident | undefined =>
  state.incidents.find((incident) => incident.probe === name && incident.kind === kind);

const told = (alerts: readonly Alert[]): string[] => alerts.map(({ event, probe }) => `${event} ${probe}`);

describe('an outage', () => {
  test('of one target is told once when it reaches the threshold, and once when it is over', () => {
    const { alerts } = play([...times('postgresql', 'failed', 0, 9), ...times('postgresql', 'ok', 100, 9)]);
    expect(told(alerts)).toEqual(['firing postgresql', 'resolved postgresql']);
    expect(alerts[0]).toMatchObject({ detail: 'postgresql failed', startedAt: '1970-01-01T00:00:00.000Z' });
    expect(alerts[1]?.incidentId).toBe(alerts[0]?.incidentId);
  });

  test('of a parent is the only one told, and names what depends on it', () => {
    const { alerts, state } = play([
      ...times('api', 'failed', 0, 3),
      ...times('postgresql', 'failed', 1, 3),
      ...times('api', 'failed', 50, 5),
    ]);
    expect(told(alerts)).toEqual(['firing postgresql']);
    expect(alerts[0]?.dependents).toEqual([{ name: 'api', status: 'down' }]);
    expect(open(state, 'api')).toMatchObject({ suppressedBy: 'postgresql', firedAt: undefined });
  });

  test('that a parent explains ends without a message when the target follows its parent', () => {
    const down = [...times('postgresql', 'failed', 0, 3), ...times('api', 'failed', 5, 3)];
    const { alerts, state, plans } = play([...down, ...times('postgresql', 'ok', 100, 2), ...times('api', 'ok', 130, 2)]);
    expect(told(alerts)).toEqual(['firing postgresql', 'resolved postgresql']);
    expect(state.incidents).toEqual([]);
    expect(plans.at(-1)?.decisions).toContainEqual({
      probe: 'api',
      kind: 'down',
      decision: { action: 'end_quietly', reason: 'never_fired' },
    });
  });

  test('that outlasts its parent’s by the grace time is told for itself', () => {
    const down = [...times('postgresql', 'failed', 0, 3), ...times('api', 'failed', 5, 3), ...times('postgresql', 'ok', 100, 2)];
    expect(told(play([...down, ['api', 'failed', graceMs - 100]]).alerts)).not.toContain('firing api');
    const late = play([...down, ['api', 'failed', graceMs + 200]]);
    expect(told(late.alerts)).toContain('firing api');
    expect(late.plans.at(-1)?.decisions).toContainEqual({
      probe: 'api',
      kind: 'down',
      decision: { action: 'fire', reason: 'outlasted_parent' },
    });
  });

  test('told before its parent went down is resolved while the parent is still down', () => {
    const { alerts } = play([
      ['postgresql', 'ok', 0],
      ...times('api', 'failed', 1, 3),
      ['postgresql', 'ok', 40],
      ['api', 'failed', 50],
      ...times('postgresql', 'failed', 60, 3),
      ...times('api', 'ok', 100, 2),
    ]);
    expect(told(alerts)).toEqual(['firing api', 'firing postgresql', 'resolved api']);
  });

  test('of a grandparent explains the grandchild through the state of the parent between', () => {
    const { alerts } = play([
      ...times('postgresql', 'failed', 0, 3),
      ...times('api', 'failed', 1, 3),
      ...times('shop', 'failed', 2, 3),
      ...times('shop', 'failed', 90, 3),
    ]);
    expect(told(alerts)).toEqual(['firing postgresql']);
  });

  test('is not told of anything that is only degraded', () => {
    expect(play(times('api', 'degraded', 0, 9)).alerts).toEqual([]);
  });
});

describe('the policy', () => {
  const firing = { firedAt: 1, suppressedBy: undefined, lastToldAt: 901 };
  const due = { ...firing, lastToldAt: 900 };
  const setBack = { ...firing, lastToldAt: 1_100 };
  const held = { firedAt: undefined, suppressedBy: 'p', lastToldAt: undefined };
  test.each([
    [false, undefined, undefined, { action: 'hold', reason: 'no_trouble' }],
    [true, undefined, undefined, { action: 'fire', reason: 'begun' }],
    [true, firing, undefined, { action: 'hold', reason: 'already_firing' }],
    [true, due, undefined, { action: 'remind', reason: 'goes_on' }],
    [true, setBack, undefined, { action: 'remind', reason: 'goes_on' }],
    [true, due, { reason: 'parent_down', parent: 'p' }, { action: 'hold', reason: 'already_firing' }],
    [false, due, undefined, { action: 'resolve', reason: 'over' }],
    [true, undefined, { reason: 'parent_down', parent: 'p' }, { action: 'hold', reason: 'parent_down', parent: 'p' }],
    [true, undefined, { reason: 'flapping' }, { action: 'hold', reason: 'flapping' }],
    [true, held, undefined, { action: 'fire', reason: 'outlasted_parent' }],
    [false, firing, undefined, { action: 'resolve', reason: 'over' }],
    [false, firing, { reason: 'parent_down', parent: 'p' }, { action: 'resolve', reason: 'over' }],
    [false, held, undefined, { action: 'end_quietly', reason: 'never_fired' }],
  ] as const)('trouble %s, incident %o, hold %o: %o', (isOn, incident, hold, decision) => {
    expect(decideAlert(isOn, incident, hold, { remindAfterMs: 100, now: 1_000 })).toEqual(decision);
  });
});

describe('over any sequence of looks', { timeout: 60_000 }, () => {
  const look = fc.record({
    probe: fc.constantFrom('postgresql', 'api', 'shop'),
    // Runs of one outcome, so that thresholds are reached.
    outcome: fc.constantFrom('ok', 'degraded', 'failed', 'faulty'),
    count: fc.integer({ min: 1, max: 4 }),
    stepMs: fc.constantFrom(10, 1_000, 6_000),
  });
  const looks = fc.array(look, { maxLength: 60 }).map((runs) => {
    let clockMs = 0;
    return runs.flatMap(({ probe, outcome, count, stepMs }) =>
      Array.from({ length: count }, (): Look => [probe, outcome, (clockMs += stepMs)]),
    );
  });

  test('FIRING and RESOLVED of a target alternate, beginning with FIRING, and share an incident', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        const { alerts } = play(sequence);
        for (const { name } of rules) {
          const own = alerts.filter(({ probe }) => probe === name);
          expect(own.map(({ event }) => event)).toEqual(own.map((_, index) => (index % 2 === 0 ? 'firing' : 'resolved')));
          // A RESOLVED names the incident of the FIRING before it, and each FIRING a new one.
          const incidents = own.map(({ incidentId }) => incidentId);
          expect(new Set(incidents).size).toBe(Math.ceil(own.length / 2));
          expect(own.every(({ event, incidentId }, index) => event === 'firing' || incidentId === incidents[index - 1])).toBe(true);
        }
        expect(new Set(alerts.map(({ id }) => id)).size).toBe(alerts.length);
      }),
      { numRuns: 500 },
    );
  });

  test('nothing fires while a parent is down, and a resolve never waits', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        for (const { state, decisions, commit } of play(sequence).plans) {
          for (const alert of commit.alerts.filter(({ event }) => event === 'firing')) {
            const parents = rules.find(({ name }) => name === alert.probe)?.dependsOn.flat() ?? [];
            expect(parents.map((parent) => state.health[parent]?.verdict)).not.toContain('down');
          }
          for (const { name } of rules) {
            // An incident is open exactly while its target is down, whatever was told.
            expect(open(state, name) !== undefined).toBe(state.health[name]?.verdict === 'down');
          }
          expect(decisions).toHaveLength(rules.length * troubles.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a target that stays down while its parents are well is told within the grace time', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        const before = play(sequence).state;
        const from = sequence.reduce((latest, [, , clockMs]) => Math.max(latest, clockMs), 0) + 10;
        const settled: Look[] = [...times('postgresql', 'ok', from, 2), ...times('api', 'failed', from + 30, 3)];
        const end = from + 100 + graceMs;
        const { state } = play([...settled, ['postgresql', 'ok', end], ['api', 'failed', end + 10]], before);
        expect(open(state, 'api')?.firedAt).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test('what was not committed is decided again in the same way', () => {
    fc.assert(
      fc.property(looks, fc.integer({ min: 0, max: 200 }), (sequence, cut) => {
        const all = play(sequence);
        const first = play(sequence.slice(0, cut));
        const rest = play(sequence.slice(cut), first.state);
        expect([...first.alerts, ...rest.alerts]).toEqual(all.alerts);
      }),
    );
  });
});
