import { describe, expect, test } from 'vitest';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { publicHtml } from '#monitor/status-page/public-html.ts';
import { presentPublic } from '#monitor/status-page/public-view.ts';
import type { StatusSnapshot } from '#monitor/status-page/status-snapshot.ts';
import { voiceOf } from '#monitor/status-page/words.ts';

const now = Date.parse('2026-11-26T09:05:40Z');
const hidden = 'hidden-from-the-public';
const outage: Incident = {
  id: 'shop-20261126T090000000Z',
  kind: 'down',
  probe: 'shop',
  startedAt: now - 340_000,
  detectedAt: now - 330_000,
  detail: hidden,
  firedAt: now - 330_000,
  reminders: 1,
  lastToldAt: now,
  suppressedBy: hidden,
  heldBy: hidden,
  acknowledged: { at: now, by: hidden },
  endedAt: undefined,
};
const last = {
  outcome: 'failed',
  detail: hidden,
  facts: [['Error', hidden]],
  nextStep: hidden,
  latencyMs: 4_711,
  at: now,
  clockMs: 1,
} as const;

/** Every field that operators see holds the same word. */
const snapshot: StatusSnapshot = {
  now,
  startedAt: 0,
  targets: [
    {
      name: 'shop',
      kind: hidden,
      dependsOn: [[hidden]],
      cadence: { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 },
      status: 'down',
      health: { ...initialHealth('down', { at: now - 340_000, clockMs: 0 }), fault: hidden, recent: [last] },
      incidents: [outage],
      quiet: { kind: 'silence', name: hidden, until: now },
      detectionBoundMs: 18_000,
    },
  ],
  incidents: [{ ...outage, id: hidden, kind: 'self', probe: hidden }, outage],
  silences: [{ number: 1, targets: [hidden], startsAt: 0, endsAt: now, by: hidden, reason: hidden }],
  maintenance: [],
  timeline: [{ at: now, event: 'silenced', probe: hidden, incidentId: hidden, by: hidden, detail: hidden }],
  readTallies: () => [{ probe: 'shop', day: Math.floor(now / 86_400_000), upMs: 9_000_000, degradedMs: 0, downMs: 1_000_000 }],
  channels: [{ channel: hidden, pending: 1, oldestPendingAt: 1, failed: 1, lastSentAt: 1, lastError: hidden, brokenSince: 1 }],
  backups: { state: 'unreadable' },
  self: { status: 'warning', reasons: [hidden], unheard: hidden },
};

const note = { incidentId: outage.id, at: now, by: hidden, kind: 'note', isPublic: true, text: 'We are <b>on it</b>.' } as const;
const notes = [note, { ...note, isPublic: false, text: hidden }, { ...note, incidentId: 'another', text: hidden }];

describe('the public', () => {
  test.each(['en', 'es'] as const)('sees names and how they fare, and nothing that only operators may, in %s', (language) => {
    const view = presentPublic(snapshot, notes);
    const shown = JSON.stringify(view) + publicHtml({ view, version: 'v' }, voiceOf(language));
    expect(shown).not.toContain(hidden);
    expect(shown).not.toContain('4711');
    expect(view.incidents).toEqual([
      {
        id: outage.id,
        kind: 'down',
        target: 'shop',
        started_at: '2026-11-26T09:00:00.000Z',
        ended_at: null,
        notes: [{ at: '2026-11-26T09:05:40.000Z', kind: 'note', text: 'We are <b>on it</b>.' }],
      },
    ]);
    expect(view.targets).toMatchObject([{ name: 'shop', status: 'down', history: { uptime_1d: 0.9 } }]);
  });

  test('reads in its own language that something is down, that an incident goes on, and how much of today it was up', () => {
    const view = presentPublic(snapshot, notes);
    const [english, spanish] = [publicHtml({ view, version: 'v' }, voiceOf('en')), publicHtml({ view, version: 'v' }, voiceOf('es'))];
    for (const words of ['<html lang="en">', 'Down: shop', 'One incident goes on.', 'today 90.000 %', 'still going on'])
      expect(english).toContain(words);
    for (const words of ['<html lang="es">', 'Caído: shop', 'Hay un incidente abierto.', 'hoy 90.000 %', 'sigue abierto'])
      expect(spanish).toContain(words);
  });

  test('sees how things fare now although the store cannot be read', () => {
    const view = presentPublic(
      {
        ...snapshot,
        incidents: undefined,
        readTallies: () => {
          throw new Error('the disk is gone');
        },
      },
      [],
    );
    expect(view.targets).toMatchObject([{ status: 'down', history: { uptime_1d: null, days: [] } }]);
    expect(publicHtml({ view, version: 'v' }, voiceOf('en'))).toContain('The record of incidents cannot be read.');
  });

  test('gets the same bytes within ten seconds in which nothing happens', () => {
    const later = { ...snapshot, now: now + 9_000 };
    expect(publicHtml({ view: presentPublic(later, notes), version: 'v' }, voiceOf('en'))).toBe(
      publicHtml({ view: presentPublic(snapshot, notes), version: 'v' }, voiceOf('en')),
    );
  });
});
