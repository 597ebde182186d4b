import { describe, expect, test } from 'vitest';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { TargetSnapshot } from '#monitor/health/watch.ts';
import { judgeSelf } from '#monitor/status-page/self-watch.ts';
import type { BackupOverview } from '#monitor/backup/job.ts';
import { renderMetrics } from '#monitor/status-page/metrics.ts';
import { statusHtml } from '#monitor/status-page/status-html.ts';
import type { StatusSnapshot } from '#monitor/status-page/status-snapshot.ts';
import { presentStatus, worstOf, type StatusView } from '#monitor/status-page/status-view.ts';
import { voiceOf } from '#monitor/status-page/words.ts';
import type { ChannelState } from '#monitor/model/alert.ts';
import type { Incident } from '#monitor/model/incident.ts';

const now = Date.parse('2026-11-24T03:00:00Z');
const cadence = { intervalMs: 5_000, timeoutMs: 3_000, confirmIntervalMs: 2_000, failures: 3, successes: 2 };

function target(name: string, changes: Partial<TargetSnapshot> = {}): TargetSnapshot {
  const last = { outcome: 'ok', detail: 'HTTP 200', latencyMs: 12.3, at: now - 2_000, clockMs: 98_000 } as const;
  const health = { ...initialHealth('up', { at: now - 60_000, clockMs: 40_000 }), recent: [last], conclusiveAt: last };
  return {
    name,
    kind: 'http',
    dependsOn: [],
    cadence,
    status: 'up',
    health,
    incidents: [],
    detectionBoundMs: 18_000,
    ...changes,
  };
}

const channel: ChannelState = {
  channel: 'slack',
  pending: 0,
  oldestPendingAt: undefined,
  failed: 0,
  lastSentAt: undefined,
  lastError: undefined,
  brokenSince: undefined,
};

const snapshot = (changes: Partial<StatusSnapshot> = {}): StatusSnapshot => ({
  now,
  startedAt: now - 3_600_000,
  targets: [target('api')],
  incidents: [],
  silences: [],
  maintenance: [],
  timeline: [],
  readTallies: () => [],
  channels: [channel],
  backups: { state: 'off' },
  self: { status: 'ok', reasons: [] },
  ...changes,
});

const incidentAt = (kind: Incident['kind'], detectedAt: number, firedAt: number | undefined, endedAt: number | undefined) =>
  ({ id: `${kind}-${detectedAt}`, kind, probe: 'api', startedAt: detectedAt, detectedAt, detail: 'x', firedAt, endedAt }) as Incident;

const english = (view: StatusView): string => statusHtml(view, voiceOf('en'), { version: 'v' });

describe('the page', () => {
  test('shows whatever a target says as text, never as markup', () => {
    const nasty = '"><script>alert(1)</script>';
    const last = { outcome: 'failed', detail: nasty, latencyMs: 1, at: now, clockMs: 1 } as const;
    const html = english(presentStatus(snapshot({ targets: [target(nasty, { health: { ...target('x').health, recent: [last] } })] })));
    expect(html).not.toContain('<script>');
    expect(html).toContain('&quot;&gt;&lt;script&gt;');
  });

  test('says so when the store cannot be read', () => {
    const html = english(presentStatus(snapshot({ incidents: undefined, channels: undefined })));
    expect(html.match(/own store cannot be read/g)).toHaveLength(2);
  });

  test('tells what comes and goes from what is down, and which part says it is unwell', () => {
    const incident = { kind: 'flapping', probe: 'api' } as Incident;
    const last = { outcome: 'failed', detail: 'HTTP 503', latencyMs: 1, at: now, clockMs: 1 } as const;
    const health = { ...target('x').health, recent: [{ ...last, facts: [['Says of itself', 'checks.database is critical']] as const }] };
    const html = english(presentStatus(snapshot({ targets: [target('api', { incidents: [incident], health })] })));
    expect(html).toContain('comes and goes');
    expect(html).toContain('Says of itself: checks.database is critical');
  });

  test('lists a target that came and went once, and not each of its outages', () => {
    const outages = [incidentAt('down', now - 7_000, undefined, now - 6_000), incidentAt('down', now - 9_000, undefined, now - 8_000)];
    const before = incidentAt('down', now - 20_000, now - 20_000, now - 15_000);
    const html = english(
      presentStatus(snapshot({ incidents: [...outages, incidentAt('flapping', now - 9_000, now - 9_000, undefined), before] })),
    );
    expect([...html.matchAll(/data-incident="([^"]+)"/g)].map(([, id]) => id)).toEqual([`flapping-${now - 9_000}`, `down-${now - 20_000}`]);
  });

  test('names the outage that explains another one', () => {
    const incident: Incident = {
      id: 'a',
      kind: 'down',
      probe: 'api',
      startedAt: now - 90_000,
      detectedAt: now - 80_000,
      detail: 'HTTP 503',
      firedAt: undefined,
      reminders: 0,
      lastToldAt: undefined,
      suppressedBy: 'postgresql',
      endedAt: now - 5_000,
    };
    const view = presentStatus(snapshot({ incidents: [incident] }));
    expect(view.incidents?.[0]).toMatchObject({ duration_ms: 85_000, alerted_at: null, explained_by: 'postgresql' });
    expect(english(view)).toContain('told with postgresql, on which it depends');
  });
});

test.each([
  [['up', 'up'], 'up'],
  [['up', 'degraded'], 'degraded'],
  [['degraded', 'unknown'], 'unknown'],
  [['unknown', 'down', 'up'], 'down'],
  [[], 'unknown'],
] as const)('of %j the gravest is %s', (statuses, worst) => {
  expect(worstOf(statuses)).toBe(worst);
});

describe('the metrics', () => {
  test('keep to one line a sample, whatever a name holds', async () => {
    const { text } = await renderMetrics(snapshot({ targets: [target('a"b\nc')] }), 1);
    expect(text).toContain(String.raw`atalaya_monitor_target_status{target="a\"b\nc",status="up"} 1`);
    expect(text.split('\n').every((line) => line === '' || line.startsWith('#') || /^\w+(\{.*\})? [\d.e+-]+$/.test(line))).toBe(true);
  });

  test('say what is open, what waits, and how old the newest backup is', async () => {
    const incident = { id: 'a', kind: 'flapping', probe: 'api' } as Incident;
    const overview = { newestVerifiedAt: now - 90_000 } as BackupOverview;
    const seen = snapshot({
      targets: [target('api', { incidents: [incident] })],
      channels: [{ ...channel, pending: 2, oldestPendingAt: now - 5_000 }],
      backups: { state: 'on', schedule: '02:00', overview },
      self: { status: 'failing', reasons: ['the disk is full'] },
    });
    const { text } = await renderMetrics(seen, 1);
    for (const line of [
      'incidents_open{target="api",kind="flapping"} 1',
      'outbox_pending{channel="slack"} 2',
      'outbox_oldest_seconds{channel="slack"} 5',
      'backup_age_seconds 90',
      'self_ok 0',
      'target_latency_seconds{target="api"} 0.0123',
    ]) {
      expect(text).toContain(`\natalaya_monitor_${line}\n`);
    }
  });
});

describe('the monitor judges itself', () => {
  const facts = { targets: [target('api')], startedClockMs: 0, clockMs: 100_000, now, channels: [channel], storeFault: undefined };

  test('ok while looks are fresh and messages get out', () => {
    expect(judgeSelf(facts)).toEqual({ status: 'ok', reasons: [] });
  });

  test('failing when a look is long overdue', () => {
    expect(judgeSelf({ ...facts, clockMs: 130_000 })).toEqual({ status: 'failing', reasons: ['api has not been looked at for 32 s'] });
  });

  test('failing when its store does not answer', () => {
    expect(judgeSelf({ ...facts, channels: undefined }).status).toBe('failing');
    expect(judgeSelf({ ...facts, storeFault: 'the disk is full' })).toEqual({ status: 'failing', reasons: ['the disk is full'] });
  });

  test('warning when a message waits for more than ten minutes, or was set aside, or a channel is broken', () => {
    const late = { ...channel, pending: 2, oldestPendingAt: now - 15 * 60_000, lastError: 'slack: HTTP 500' };
    expect(judgeSelf({ ...facts, channels: [late] })).toEqual({
      status: 'warning',
      reasons: ['slack: 2 messages wait, the oldest for 15 m (slack: HTTP 500)'],
    });
    expect(judgeSelf({ ...facts, channels: [{ ...channel, failed: 1 }] }).status).toBe('warning');
    expect(judgeSelf({ ...facts, channels: [{ ...channel, brokenSince: now }] }).reasons).toEqual(['slack is broken']);
  });

  test('unheard when every channel there is takes nothing', () => {
    const [broken, email] = [
      { ...channel, brokenSince: now },
      { ...channel, channel: 'email' },
    ];
    expect(judgeSelf({ ...facts, channels: [broken] }).unheard).toBe('slack takes no alerts');
    expect(judgeSelf({ ...facts, channels: [broken, { ...email, brokenSince: now }] }).unheard).toBe('slack and email take no alerts');
    expect(judgeSelf({ ...facts, channels: [broken, email] }).unheard).toBeUndefined();
    expect(judgeSelf({ ...facts, channels: [] }).unheard).toBeUndefined();
  });
});
