import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Alert } from '#monitor/model/alert.ts';
import type { Incident, Note } from '#monitor/model/incident.ts';
import { incidentHtml } from '#monitor/status-page/incident-html.ts';
import { presentStory, readIncidentPage, readIncidentQuery } from '#monitor/status-page/incident-view.ts';
import { publicIncidentHtml } from '#monitor/status-page/public-incident-html.ts';
import { presentPublicIncident } from '#monitor/status-page/public-view.ts';
import { voiceOf } from '#monitor/status-page/words.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore, StoredMessage } from '#monitor/store/store.ts';

const now = Date.parse('2026-11-26T09:00:00Z');
const nasty = '"><script>alert(1)</script>';
const none = { health: [], incidents: [], messages: [] };

const incident = (changes: Partial<Incident> = {}): Incident => ({
  id: 'shop-1',
  kind: 'down',
  probe: 'shop',
  startedAt: now - 60_000,
  detectedAt: now - 50_000,
  detail: 'HTTP 503',
  firedAt: now - 50_000,
  reminders: 0,
  lastToldAt: now - 50_000,
  suppressedBy: undefined,
  endedAt: now,
  ...changes,
});

function message(event: Alert['event'], at: number, changes: Partial<StoredMessage> = {}): StoredMessage {
  const times = { startedAt: new Date(now).toISOString(), decidedAt: new Date(at).toISOString() };
  const facts = [['Pool', '20 of 20 in use']] as const;
  const alert = {
    id: `shop-1.${event}.1`,
    event,
    incidentId: 'shop-1',
    probe: 'shop',
    ...times,
    dependents: [],
    detail: 'HTTP 503',
    facts,
  };
  return {
    channel: 'slack',
    alert,
    state: 'sent',
    attempts: 1,
    refusals: 0,
    isUncertain: false,
    lastError: undefined,
    settledAt: at + 900,
    ...changes,
  };
}

let store: MonitorStore;
beforeEach(() => {
  store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
});

describe('the page of an incident', () => {
  const looks = [{ at: now - 60_000, outcome: 'failed', latencyMs: 12, detail: 'HTTP 503' }] as const;
  const note: Note = {
    incidentId: 'shop-1',
    at: now + 1_000,
    by: 'Ana',
    kind: 'post_mortem',
    isPublic: true,
    text: `The disk was full.\n${nasty}`,
  };

  test('tells in order what was seen, found out, told and accepted, who took it on, what it explains, and when it was over', () => {
    const child = incident({
      id: 'site-1',
      probe: 'site',
      detail: 'HTTP 502',
      suppressedBy: 'shop',
      detectedAt: now - 45_000,
      firedAt: undefined,
    });
    const earlier = incident({ id: 'site-0', probe: 'site', suppressedBy: 'shop', startedAt: now - 900_000, endedAt: now - 800_000 });
    store.write({
      ...none,
      incidents: [incident({ looks }), child, earlier],
      messages: [
        message('firing', now - 50_000, { attempts: 3 }),
        message('resolved', now, { state: 'pending', attempts: 0, settledAt: undefined }),
      ],
      timeline: [{ at: now - 30_000, event: 'acknowledged', probe: 'shop', incidentId: 'shop-1', by: 'Ana', detail: 'HTTP 503' }],
      notes: [note],
    });
    const found = store.incident('shop-1');
    const view = presentStory(found as Incident, store.storyOf(found as Incident), store.notesOf(['shop-1']), now);
    expect(view.timeline.map(({ event, detail }) => `${event}: ${detail}`)).toEqual([
      'look failed: HTTP 503, in 12 ms',
      'found out: HTTP 503',
      'queued: firing for slack',
      'accepted: firing for slack after 3 attempts',
      'explains: site: HTTP 502',
      'acknowledged: by Ana: HTTP 503',
      'queued: resolved for slack',
      'over: after 1 m',
    ]);
    expect(view.evidence).toEqual([{ label: 'Pool', value: '20 of 20 in use' }]);
    expect(view.notes).toMatchObject([{ by: 'Ana', kind: 'post_mortem', is_public: true }]);
  });

  test('shows what people write as text, to operators and to everybody, and a form only to who is signed in', () => {
    store.write({ ...none, incidents: [incident({ detail: nasty })], notes: [note] });
    const view = presentStory(incident({ detail: nasty }), store.storyOf(incident()), store.notesOf(['shop-1']), now);
    const [known] = presentPublicIncident(incident(), store.notesOf(['shop-1']));
    if (!known) throw new Error('everybody may see it');
    for (const page of [
      incidentHtml(view, voiceOf('en'), { token: 'token', version: 'v' }),
      publicIncidentHtml(known, voiceOf('es'), now),
    ]) {
      expect(page).not.toContain('<script>');
      expect(page).toContain('The disk was full.\n&quot;&gt;&lt;script&gt;');
    }
    expect(incidentHtml(view, voiceOf('en'), { token: undefined, version: 'v' })).not.toContain('<form');
    expect(publicIncidentHtml(known, voiceOf('es'), now)).not.toContain('Ana');
  });

  test('keeps its notes until it is itself forgotten', () => {
    store.write({ ...none, incidents: [incident()], notes: [note] });
    store.expire(now);
    expect(store.notesOf(['shop-1'])).toEqual([note]);
    store.expire(now + 1);
    expect(store.notesOf(['shop-1'])).toEqual([]);
  });
});

describe('pages of incidents', () => {
  const kinds = ['down', 'degraded', 'self'] as const;
  const stories = array(
    record({ startedAt: integer({ min: now, max: now + 20 }), kind: constantFrom(...kinds), probe: constantFrom('shop', 'site') }),
    {
      minLength: 60,
      maxLength: 120,
    },
  );

  test('go through all that were asked for, each once, newest first, however many begin in one moment', () => {
    assert(
      property(stories, constantFrom(undefined, 'shop'), constantFrom(undefined, 'down' as const), (many, target, kind) => {
        const own = createStore(openDatabase(':memory:'));
        const incidents = many.map((each, index) => incident({ ...each, id: `i_${index}` }));
        own.write({ ...none, incidents });
        const seen: string[] = [];
        let next: string | undefined = new URLSearchParams({ ...(target && { target }), ...(kind && { kind }) }).toString();
        while (next !== undefined) {
          const page = readIncidentPage(own, readIncidentQuery(Object.fromEntries(new URLSearchParams(next))));
          seen.push(...page.incidents.map(({ id }) => id));
          next = page.next;
        }
        own.close();
        const wanted = incidents.filter(
          (each) => (target === undefined || each.probe === target) && (kind === undefined || each.kind === kind),
        );
        const order = wanted.toSorted((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1));
        expect(seen).toEqual(order.map(({ id }) => id));
      }),
      { numRuns: 30 },
    );
  });

  test('leave what is wrong with the monitor itself out for the public', () => {
    store.write({ ...none, incidents: [incident(), incident({ id: 'm', kind: 'self', probe: 'monitor.store' })] });
    expect(readIncidentPage(store, { ...readIncidentQuery({}), isPublic: true }).incidents.map(({ id }) => id)).toEqual(['shop-1']);
  });

  test.each([[{ after: 'x' }], [{ after: ['1_a', '2_b'] }], [{ kind: 'sideways' }], [{ target: '' }]])('are not hurt by %j', (query) => {
    expect(readIncidentQuery(query)).toMatchObject({ after: undefined, kind: undefined, probe: undefined });
  });
});
