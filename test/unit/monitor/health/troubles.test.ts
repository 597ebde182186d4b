// All that makes a trouble of what probes say, by one table of them; so it is long.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inheritedHealth, initialHealth } from '#monitor/health/health-state.ts';
import { planTick, type WatchState } from '#monitor/health/plan-tick.ts';
import type { TargetRules } from '#monitor/health/target.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { ProbeResult } from '#monitor/model/look.ts';
import { say } from '#monitor/words/say.ts';

type Outcome = ProbeResult['outcome'];
type Look = readonly [probe: string, outcome: Outcome, clockMs: number];

const second = 1_000;
const minute = 60_000;

const target = (name: string, changes: Partial<TargetRules> = {}): TargetRules => ({
  name,
  dependsOn: [],
  degradedBy: [],
  thresholds: { failures: 2, successes: 2 },
  graceMs: 5_000,
  patience: { slowMs: 1_000, unknownAfterMs: 5 * minute, warnAfterMs: 5 * minute, remindAfterMs: Infinity, startGraceMs: minute },
  flap: { turns: 3, windowMs: 2 * minute, settleMs: minute },
  ...changes,
});

const freshState = (rules: readonly TargetRules[]): WatchState => ({
  health: Object.fromEntries(rules.map(({ name }) => [name, initialHealth('up', { at: 0, clockMs: 0 })])),
  incidents: [],
});

function play(rules: readonly TargetRules[], looks: readonly Look[], from = freshState(rules)) {
  const alerts: Alert[] = [];
  let state = from;
  for (const [probe, outcome, clockMs] of looks) {
    const result = { outcome, detail: `${probe} ${outcome}`, latencyMs: 1, at: clockMs, clockMs };
    const plan = planTick(rules, state, { probe, result, now: { at: clockMs + 1, clockMs: clockMs + 1 } });
    state = plan.state;
    alerts.push(...plan.commit.alerts);
  }
  return { alerts, state, told: alerts.map(({ event, probe }) => `${event} ${probe}`) };
}

/** What the next process begins with. */
const restart = (state: WatchState, nowMs: number): WatchState => ({
  ...state,
  health: Object.fromEntries(
    Object.entries(state.health).map(([name, { verdict, since, backSince }]) => {
      const wasFlapping = state.incidents.some(({ kind, probe }) => kind === 'flapping' && probe === name);
      return [
        name,
        inheritedHealth({ health: { verdict, since: since.at }, wasFlapping, backAt: backSince?.at }, { at: nowMs, clockMs: nowMs }),
      ];
    }),
  ),
});

/** Looks every `everyMs` at what the world is at that moment. */
const looksAt = (probe: string, worldAt: (ms: number) => Outcome, fromMs: number, toMs: number, everyMs: number): Look[] =>
  Array.from({ length: Math.floor((toMs - fromMs) / everyMs) }, (_, i): Look => {
    const ms = fromMs + i * everyMs;
    return [probe, worldAt(ms), ms];
  });

/** One outcome over a time, and well before and after. */
const during =
  (outcome: Outcome, fromMs: number, toMs: number) =>
  (ms: number): Outcome =>
    ms >= fromMs && ms < toMs ? outcome : 'ok';

/** Down for a second, up for a second, over a minute; well before and after. */
const comesAndGoes = (ms: number): Outcome => (ms >= 10_000 && ms < 70_000 && Math.floor(ms / second) % 2 === 0 ? 'failed' : 'ok');

const thenStaysDown = (ms: number): Outcome => (ms >= 70_000 ? 'failed' : comesAndGoes(ms));
const twoOutages = (ms: number): Outcome => (ms < 5_000 || (ms > 130_000 && ms < 135_000) ? 'failed' : 'ok');
const downThenBlind = (ms: number): Outcome => (ms < 10_000 ? 'failed' : ms < 10 * minute ? 'faulty' : 'ok');

describe('a target that goes down for a second every other second, for a minute', () => {
  test('is one message that it flaps and one that it has settled, after the outage that came first', () => {
    const { told, alerts, state } = play([target('api')], looksAt('api', comesAndGoes, 0, 200_000, 100));
    expect(told).toEqual(['firing api', 'resolved api', 'flapping api', 'settled api']);
    expect(alerts[2]?.detail).toMatch(/^it went down or came back 3 times in 2 s; now: api failed$/);
    expect(alerts[2]?.facts).toContainEqual(['What follows', { code: 'nothingUntil', steadyMs: 60_000 }]);
    expect(alerts[3]?.detail).toBe('it has settled and is up, after it went down or came back 60 times: api ok');
    expect(state.incidents).toEqual([]);
  });

  test('and then stays down is told as settled, and fires', () => {
    const { told } = play([target('api')], looksAt('api', thenStaysDown, 0, 200_000, 100));
    expect(told).toEqual(['firing api', 'resolved api', 'flapping api', 'settled api', 'firing api']);
  });

  test('is told once for what stands on it too', () => {
    const rules = [target('postgresql'), target('api', { dependsOn: [['postgresql']] })];
    const [parent, child] = ['postgresql', 'api'].map((name) => looksAt(name, comesAndGoes, 0, 200_000, 100));
    const interleaved = (parent ?? []).flatMap((look, index) => [look, child?.[index] ?? look]);
    expect(play(rules, interleaved).told).toEqual([
      'firing postgresql',
      'resolved postgresql',
      'flapping postgresql',
      'settled postgresql',
    ]);
  });

  test('is told at each turn where that was asked for', () => {
    const { told } = play([target('api', { flap: undefined })], looksAt('api', comesAndGoes, 0, 200_000, 100));
    expect(told.length).toBeGreaterThan(50);
    expect(told).not.toContain('flapping api');
  });

  test('is not what two outages far apart are', () => {
    const { told } = play([target('api')], looksAt('api', twoOutages, 0, 200_000, 100));
    expect(told).toEqual(['firing api', 'resolved api', 'firing api', 'resolved api']);
  });
});

const timesIn = (detail: string): number => Number(/ (\d+) times/.exec(detail)?.[1]);

describe('over any sequence of looks', { timeout: 60_000 }, () => {
  const run = fc.record({
    outcome: fc.constantFrom<Outcome>('ok', 'failed', 'degraded', 'faulty'),
    count: fc.integer({ min: 1, max: 30 }),
    stepMs: fc.constantFrom(100, 2_000, 20_000),
  });
  const looks = fc.array(run, { maxLength: 60 }).map((runs) => {
    let clockMs = 0;
    return runs.flatMap(({ outcome, count, stepMs }) => Array.from({ length: count }, (): Look => ['api', outcome, (clockMs += stepMs)]));
  });
  const pairs = { firing: 'resolved', flapping: 'settled', unknown: 'known' } as const;

  test('each beginning has its end, each kind for itself, and no message is told twice, through restarts too', () => {
    fc.assert(
      fc.property(looks, fc.integer({ min: 0, max: 900 }), (sequence, cut) => {
        const rules = [target('api')];
        const first = play(rules, sequence.slice(0, cut));
        const later = play(rules, sequence.slice(cut), restart(first.state, sequence[cut]?.[2] ?? 0));
        const alerts = [...first.alerts, ...later.alerts];
        for (const [opens, closes] of Object.entries(pairs)) {
          const own = alerts.filter(({ event }) => event === opens || event === closes);
          expect(own.map(({ event }) => event)).toEqual(own.map((_, index) => (index % 2 === 0 ? opens : closes)));
          expect(own.every(({ incidentId }, index) => index % 2 === 0 || incidentId === own[index - 1]?.incidentId)).toBe(true);
        }
        expect(new Set(alerts.map(({ id }) => id)).size).toBe(alerts.length);
      }),
      { numRuns: 300 },
    );
  });

  test('what tells that it has settled says how often it has gone down or come back since the first time, through a restart too', () => {
    fc.assert(
      fc.property(looks, fc.integer({ min: 0, max: 900 }), (sequence, cut) => {
        let played = play([target('api')], []);
        let turns = 0;
        const said: (readonly [times: number, right: number])[] = [];
        for (const [index, look] of sequence.entries()) {
          const was = played.state.health['api']?.verdict;
          played = play([target('api')], [look], index === cut ? restart(played.state, look[2]) : played.state);
          const is = played.state.health['api']?.verdict;
          if (was !== 'none' && (was === 'down') !== (is === 'down')) turns += 1;
          for (const { event, detail } of played.alerts) {
            if (event === 'flapping') turns = timesIn(detail);
            if (event === 'settled') said.push([timesIn(detail), turns]);
          }
        }
        expect(said.filter(([times, right]) => times !== right)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('between flapping and settled nothing fires, and a target that stays down fires once it has settled', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        const rules = [target('api')];
        const played = play(rules, sequence);
        let isFlapping = false;
        for (const { event } of played.alerts) {
          if (event === 'flapping') isFlapping = true;
          if (event === 'settled') isFlapping = false;
          expect(isFlapping && event === 'firing').toBe(false);
        }
        const from = (sequence.at(-1)?.[2] ?? 0) + 1;
        const after = play(
          rules,
          looksAt('api', () => 'failed', from, from + 2 * minute, second),
          played.state,
        ).state;
        expect(after.incidents.find(({ kind }) => kind === 'down')?.firedAt).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('what the monitor cannot tell', () => {
  test('is told once after its bound, and once when it can be told again', () => {
    const { told, alerts } = play(
      [target('postgresql')],
      looksAt('postgresql', during('faulty', 10_000, 20 * minute), 0, 25 * minute, 5_000),
    );
    expect(told).toEqual(['unknown postgresql', 'known postgresql']);
    expect(alerts[0]).toMatchObject({
      detail: 'the monitor itself cannot tell how it is: postgresql faulty',
      startedAt: new Date(10_000).toISOString(),
      decidedAt: new Date(10_000 + 5 * minute + 1).toISOString(),
    });
    expect(alerts[1]).toMatchObject({ detail: 'it can be judged again and is up: postgresql ok', incidentId: alerts[0]?.incidentId });
  });

  test('is borne in silence for less than its bound', () => {
    expect(play([target('api')], looksAt('api', during('faulty', 0, 4 * minute), 0, 20 * minute, 5_000)).told).toEqual([]);
  });

  test('neither ends an outage nor hides it', () => {
    const { told } = play([target('api')], looksAt('api', downThenBlind, 0, 12 * minute, 1_000));
    expect(told).toEqual(['firing api', 'unknown api', 'known api', 'resolved api']);
  });
});

describe('a target that is degraded', () => {
  test('for long is a warning, once', () => {
    const { told, alerts } = play([target('api')], looksAt('api', during('degraded', 0, 30 * minute), 0, 40 * minute, 5_000));
    expect(told).toEqual(['notice api']);
    expect(alerts[0]?.detail).toBe('it has been degraded for 5 m: api degraded');
  });

  test('for a short time, or by setting, is none', () => {
    expect(play([target('api')], looksAt('api', during('degraded', 0, 4 * minute), 0, 9 * minute, 5_000)).told).toEqual([]);
    const never = target('api', { patience: { ...target('api').patience, warnAfterMs: Infinity } });
    expect(
      play(
        [never],
        looksAt('api', () => 'degraded', 0, 60 * minute, 5_000),
      ).told,
    ).toEqual([]);
  });

  test('because of another that is down is not told beside it', () => {
    const rules = [target('redis'), target('api', { degradedBy: ['redis'] })];
    const looks = looksAt('redis', () => 'failed', 0, 20 * minute, 5_000).flatMap(([, , ms]): Look[] => [
      ['redis', 'failed', ms],
      ['api', 'degraded', ms + 1],
    ]);
    const { told, alerts } = play(rules, looks);
    expect(told).toEqual(['firing redis']);
    expect(alerts[0]?.dependents).toEqual([{ name: 'api', status: 'degraded' }]);
  });

  test('is not held back by what only degrades it when it goes down', () => {
    const rules = [target('redis'), target('api', { degradedBy: ['redis'] })];
    const down = looksAt('redis', () => 'failed', 0, 20_000, 5_000).flatMap(([, , ms]): Look[] => [
      ['redis', 'failed', ms],
      ['api', 'failed', ms + 1],
    ]);
    expect(play(rules, down).told).toEqual(['firing redis', 'firing api']);
  });
});

describe('a restart in the middle of it', () => {
  test.each(['faulty', 'degraded'] as const)('tells what is %s neither as over nor again', (outcome) => {
    const rules = [target('postgresql'), target('api')];
    const before = play(
      rules,
      looksAt('postgresql', () => outcome, 0, 6 * minute, 5_000),
    );
    expect(before.told).toEqual([outcome === 'faulty' ? 'unknown postgresql' : 'notice postgresql']);
    const started = restart(before.state, 7 * minute);
    // The other target is looked at first.
    const looks: Look[] = [['api', 'ok', 7 * minute], ...looksAt('postgresql', () => outcome, 7 * minute + 1, 20 * minute, 5_000)];
    const goingOn = play(rules, looks, started);
    expect(goingOn.told).toEqual([]);
    const after = play(rules, [['postgresql', 'ok', 21 * minute]], goingOn.state);
    expect(after.told).toEqual(outcome === 'faulty' ? ['known postgresql'] : []);
    expect(after.state.incidents).toEqual([]);
  });
});

test('a message tells what the looks before the last one found', () => {
  const { alerts } = play(
    [target('api')],
    looksAt('api', (ms) => (ms < 17_000 ? 'ok' : 'failed'), 0, 20_000, 1_000),
  );
  expect(alerts[0]?.facts?.map(([label, value]) => [label, say(value, 'en')])).toEqual([['Last looks', '2 failed, before that 17 ok']]);
});

describe('a reminder', () => {
  const hour = 60 * minute;
  const patience = { ...target('api').patience, remindAfterMs: 4 * hour };
  const reminded = target('api', { patience });

  test('of an outage comes every four hours that it goes on, each a message of its own, and none once it is over', () => {
    const { told, alerts } = play([reminded], looksAt('api', during('failed', minute, 9 * hour), 0, 24 * hour, minute));
    expect(told).toEqual(['firing api', 'reminder api', 'reminder api', 'resolved api']);
    expect(alerts.map(({ id }) => id.split('.').slice(1).join('.'))).toEqual(['firing.1', 'reminder.1', 'reminder.2', 'resolved.1']);
    expect(alerts[1]?.detail).toMatch(/^it still goes on, for 4 h( \d m)?: api failed$/);
    expect(new Set(alerts.map(({ incidentId }) => incidentId)).size).toBe(1);
  });

  test('counts over a restart of the monitor, and waits for a look of its own', () => {
    const before = play([reminded], looksAt('api', during('failed', 0, hour), 0, hour, minute));
    const after = play(
      [reminded],
      looksAt('api', during('failed', 0, 24 * hour), 5 * hour, 6 * hour, minute),
      restart(before.state, 5 * hour),
    );
    expect(before.told).toEqual(['firing api']);
    expect(after.told).toEqual(['reminder api']);
    expect(after.alerts[0]?.id).toMatch(/\.reminder\.1$/);
    const other = target('other', { patience });
    const state = {
      ...restart(before.state, 9 * hour),
      health: { ...restart(before.state, 9 * hour).health, ...freshState([other]).health },
    };
    expect(play([reminded, other], [['other', 'ok', 9 * hour]], state).told).toEqual([]);
  });

  test('comes of what the monitor cannot tell, of none that is held back, and of no warning', () => {
    const unknown = play([reminded], looksAt('api', during('faulty', 0, 9 * hour), 0, 9 * hour, minute));
    expect(unknown.told).toEqual(['unknown api', 'reminder api', 'reminder api']);
    const degraded = play([reminded], looksAt('api', during('degraded', 0, 9 * hour), 0, 9 * hour, minute));
    expect(degraded.told).toEqual(['notice api']);
    const rules = [target('postgresql', { patience }), target('api', { patience, dependsOn: [['postgresql']] })];
    const both = looksAt('postgresql', during('failed', 0, 9 * hour), 0, 9 * hour, minute).flatMap((look) => [
      look,
      ['api', look[1], look[2]] as const,
    ]);
    expect(play(rules, both).told).toEqual(['firing postgresql', 'reminder postgresql', 'reminder postgresql']);
  });
});
