import { describe, expect, test } from 'vitest';
import { planAcknowledgement } from '#monitor/health/acknowledge.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import { planTick, type WatchState } from '#monitor/health/plan-tick.ts';
import type { TargetRules } from '#monitor/health/target.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { ProbeResult } from '#monitor/model/look.ts';
import type { Quiet, TimelineEntry } from '#monitor/model/quiet.ts';

const rules: readonly TargetRules[] = [
  {
    name: 'api',
    dependsOn: [],
    degradedBy: [],
    thresholds: { failures: 2, successes: 1 },
    graceMs: 0,
    patience: { slowMs: Infinity, unknownAfterMs: Infinity, warnAfterMs: Infinity, remindAfterMs: 10_000, startGraceMs: 0 },
    flap: undefined,
  },
];
const fresh: WatchState = { health: { api: initialHealth('up', { at: 0, clockMs: 0 }) }, incidents: [] };
const silence: Quiet = { kind: 'silence', name: 's1', until: 5_000 };

/** The real rules, look by look; what is told and kept is gathered. */
function createPlay() {
  let state = fresh;
  const alerts: Alert[] = [];
  const timeline: TimelineEntry[] = [];
  return {
    alerts,
    timeline,
    told: () => alerts.map(({ event }) => event),
    state: () => state,
    look: (outcome: ProbeResult['outcome'], clockMs: number, quiet?: Quiet) => {
      const now = { at: clockMs, clockMs };
      const plan = planTick(rules, state, {
        probe: 'api',
        result: { outcome, detail: outcome, latencyMs: 1, ...now },
        now,
        quietOf: () => quiet,
      });
      state = plan.state;
      alerts.push(...plan.commit.alerts);
      timeline.push(...(plan.commit.timeline ?? []));
    },
    ack: (of: string, clockMs: number) => {
      const plan = planAcknowledgement(state, { of, by: 'ana', now: { at: clockMs, clockMs } });
      state = plan.state;
      alerts.push(...(plan.commit?.alerts ?? []));
      return plan.answer.outcome;
    },
  };
}

describe('while a target is silenced', () => {
  test('an outage is not told, is named as held, and is told with the reason once the silence is over', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000, 3_000]) play.look('failed', at, silence);
    expect(play.told()).toEqual([]);
    expect(play.state().incidents).toMatchObject([{ heldBy: 'silence s1', firedAt: undefined }]);
    expect(play.timeline).toMatchObject([{ event: 'held', probe: 'api', by: 'silence s1' }]);
    play.look('failed', 5_000);
    expect(play.told()).toEqual(['firing']);
    expect(play.alerts[0]?.facts).toContainEqual(['Held back', { code: 'heldBy', by: 'silence s1' }]);
    expect(play.state().incidents).toMatchObject([{ heldBy: undefined, firedAt: 5_000 }]);
  });

  test('an outage that ends within it is never told, and stays on record as held', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at, silence);
    play.look('ok', 3_000, silence);
    play.look('ok', 6_000);
    expect(play.told()).toEqual([]);
    expect(play.state().incidents).toEqual([]);
  });

  test('the end of what was told before is told at once', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at);
    play.look('failed', 3_000, silence);
    play.look('ok', 4_000, silence);
    expect(play.told()).toEqual(['firing', 'resolved']);
  });

  test('no reminder comes; when it is over, what still goes on is told once more', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at);
    for (const at of [3_000, 13_000, 23_000]) play.look('failed', at, silence);
    expect(play.told()).toEqual(['firing']);
    play.look('failed', 24_000);
    expect(play.told()).toEqual(['firing', 'reminder']);
    play.look('failed', 25_000);
    expect(play.told()).toHaveLength(2);
  });

  test('what began before it and was told is told once more at its end, however short it was', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at);
    play.look('failed', 3_000, silence);
    play.look('failed', 4_000);
    expect(play.told()).toEqual(['firing', 'reminder']);
    expect(play.alerts[1]?.facts).toContainEqual(['Held back', { code: 'heldBy', by: 'silence s1' }]);
  });
});

describe('an incident that somebody takes on', () => {
  test('is told to everybody, has no more reminders, and is still resolved', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000, 12_000]) play.look('failed', at);
    expect(play.told()).toEqual(['firing', 'reminder']);
    expect(play.ack('api', 13_000)).toBe('acknowledged');
    expect(play.alerts.at(-1)).toMatchObject({ event: 'acknowledged', detail: 'ana has taken it on; no more reminders of: failed' });
    for (const at of [22_000, 32_000]) play.look('failed', at);
    play.look('ok', 40_000);
    expect(play.told()).toEqual(['firing', 'reminder', 'acknowledged', 'resolved']);
  });

  test('can be named by its id, and once only', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at);
    const [incident] = play.state().incidents;
    expect(play.ack(incident?.id ?? '', 3_000)).toBe('acknowledged');
    expect(play.ack('api', 4_000)).toBe('already');
    expect(play.told()).toEqual(['firing', 'acknowledged']);
  });

  test('says nothing of the next one: that is told and reminded of', () => {
    const play = createPlay();
    for (const at of [1_000, 2_000]) play.look('failed', at);
    play.ack('api', 3_000);
    play.look('ok', 4_000);
    for (const at of [5_000, 6_000, 16_000]) play.look('failed', at);
    expect(play.told()).toEqual(['firing', 'acknowledged', 'resolved', 'firing', 'reminder']);
  });

  test('must go on and have been told', () => {
    const play = createPlay();
    expect(play.ack('api', 500)).toBe('unknown');
    for (const at of [1_000, 2_000]) play.look('failed', at, silence);
    expect(play.ack('api', 3_000)).toBe('untold');
    play.look('failed', 6_000);
    expect(play.told()).toEqual(['firing']);
  });
});
