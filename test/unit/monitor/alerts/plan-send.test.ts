import { describe, expect, test } from 'vitest';
import type { QueuedMessage } from '#monitor/alerts/outbox.ts';
import { planSend } from '#monitor/alerts/plan-send.ts';
import type { AlertEvent } from '#monitor/model/alert.ts';
import { buildAlert } from './outbox-world.ts';

const start = Date.parse('2026-11-24T02:00:00Z');
const now = { at: start + 600_000, clockMs: 1_000 };

/** Decided `agoMs` ago, and not to be sent for another `notBeforeMs`. */
function message(incident: string, event: AlertEvent, { agoMs = 100, inMs = 0, probe = 'api' } = {}): QueuedMessage {
  return {
    channel: 'slack',
    alert: buildAlert(incident, event, now.at - agoMs, probe),
    state: 'pending',
    attempts: 0,
    refusals: 0,
    isUncertain: false,
    lastError: undefined,
    settledAt: undefined,
    notBeforeMs: now.clockMs + inMs,
  };
}

/** The plan as `reason: id (+ ids told too)`, or the wait in ms. */
function planned(...queue: QueuedMessage[]): string {
  const plan = planSend(queue, now);
  if (plan.action === 'wait') return `${plan.reason} ${plan.ms}`;
  const ids = plan.tellsToo.map(({ alert }) => alert.id);
  return [`${plan.reason}: ${plan.message.alert.id}`, ...ids].join(' + ');
}

describe('a channel sends next', () => {
  test('the oldest message, and nothing when there is none', () => {
    expect(planned(message('a', 'firing'), message('b', 'firing'))).toBe('due: a.firing.1');
    expect(planned()).toBe('empty Infinity');
  });

  test('another incident’s message while one waits after its refusal', () => {
    expect(planned(message('a', 'firing', { inMs: 5_000 }), message('b', 'firing'))).toBe('due: b.firing.1');
    expect(planned(message('a', 'firing', { inMs: 5_000 }), message('b', 'firing', { inMs: 3_000 }))).toBe('not_due 3000');
  });

  test('no RESOLVED before its FIRING, however long that waits', () => {
    expect(planned(message('a', 'firing', { inMs: 5_000 }), message('a', 'resolved'))).toBe('not_due 5000');
    expect(planned(message('a', 'firing'), message('a', 'resolved'))).toBe('due: a.firing.1');
  });

  test('one message that tells both ends of an outage nobody was told of for a minute', () => {
    const late = message('a', 'firing', { agoMs: 60_000, inMs: 5_000 });
    expect(planned(late, message('a', 'resolved'))).toBe('stale_pair: a.resolved.1 + a.firing.1');
    expect(planned(message('a', 'unknown', { agoMs: 60_000 }), message('a', 'known'))).toBe('stale_pair: a.known.1 + a.unknown.1');
  });

  test('one message for six short outages of one target, and one for another’s', () => {
    const outages = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((id) => [
      message(id, 'firing', { agoMs: 90_000 }),
      message(id, 'resolved', { agoMs: 80_000 }),
    ]);
    const other = [message('z', 'firing', { agoMs: 90_000, probe: 'shop' }), message('z', 'resolved', { probe: 'shop' })];
    const plan = planSend([...outages, ...other], now);
    expect(plan).toMatchObject({ action: 'send', reason: 'stale_pair', message: { alert: { id: 'f.resolved.1' } } });
    expect(plan.action === 'send' && plan.tellsToo.map(({ alert }) => alert.id)).toEqual(
      outages.map(({ alert }) => alert.id).filter((id) => id !== 'f.resolved.1'),
    );
    expect(planned(...other)).toBe('stale_pair: z.resolved.1 + z.firing.1');
  });

  test('an outage and a time unknown apart, though both are over, and so the end of one whose beginning was told', () => {
    const stale = (id: string, begins: AlertEvent, ends: AlertEvent): QueuedMessage[] => [
      message(id, begins, { agoMs: 90_000 }),
      message(id, ends, { agoMs: 80_000 }),
    ];
    expect(planned(...stale('a', 'firing', 'resolved'), ...stale('b', 'unknown', 'known'))).toBe('stale_pair: a.resolved.1 + a.firing.1');
    const told = message('z', 'resolved', { agoMs: 70_000 });
    expect(planned(told, ...stale('a', 'firing', 'resolved'))).toBe('due: z.resolved.1');
    expect(planned(...stale('a', 'firing', 'resolved'), told)).toBe('stale_pair: a.resolved.1 + a.firing.1');
  });

  test('the end of an outage with all that waited before it, and no end of one that goes on', () => {
    const [firing, reminder] = [message('a', 'firing', { agoMs: 90_000 }), message('a', 'reminder', { agoMs: 80_000 })];
    const all = `stale_pair: a.resolved.1 + ${firing.alert.id} + ${reminder.alert.id}`;
    expect(planned(firing, reminder, message('a', 'resolved'))).toBe(all);
    expect(planned(firing, reminder)).toBe(`reminded_anyway: a.firing.1 + ${reminder.alert.id}`);
  });

  test('an outage that still goes on by itself, beside earlier ones that are over', () => {
    const over = [message('a', 'firing', { agoMs: 90_000 }), message('a', 'resolved', { agoMs: 80_000 })];
    const open = message('b', 'firing', { agoMs: 70_000 });
    expect(planned(...over, open)).toBe('stale_pair: a.resolved.1 + a.firing.1');
    expect(planned(open)).toBe('due: b.firing.1');
  });

  test('the FIRING without the reminders that came to wait behind it, and of reminders alone the last', () => {
    const reminder = (n: number): QueuedMessage => {
      const one = message('a', 'reminder');
      return { ...one, alert: { ...one.alert, id: `a.reminder.${n}` } };
    };
    expect(planned(message('a', 'firing'), reminder(1), reminder(2))).toBe('reminded_anyway: a.firing.1 + a.reminder.1 + a.reminder.2');
    expect(planned(reminder(1), reminder(2))).toBe('reminded_anyway: a.reminder.2 + a.reminder.1');
  });
});
