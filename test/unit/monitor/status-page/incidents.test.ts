// The pages of an incident, for operators and for everybody, over the one story they tell; so it is long.

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

const bars = (page: string): string[] =>
  [...page.matchAll(/<rect class="(\w+)"(?: x="(\d+)")?/g)].map(([, tone, x]) => `${tone} ${x ?? 0}`);

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
    const view = presentStory(found as Incident, store.storyOf(found as Incident), store.notesOf(['shop-1']), { now, language: 'en' });
    expect(view.timeline.map(({ event, detail }) => `${event}: ${detail}`)).toEqual([
      'look failed: HTTP 503 · 12 ms',
      'found out: HTTP 503',
      'queued: firing for slack',
      'accepted: firing for slack after 3 attempts',
      'explains: site: HTTP 502',
      'acknowledged: HTTP 503',
      'queued: resolved for slack',
      'over: after 1 m',
    ]);
    expect(view.evidence).toEqual([{ label: 'Pool', value: '20 of 20 in use' }]);
    expect(view.notes).toMatchObject([{ by: 'Ana', kind: 'post_mortem', is_public: true }]);
  });

  const found = { cause: { code: 'hangs', who: 'PostgreSQL' }, nextStep: { code: 'endSession', pid: 7 } } as const;

  /** The page of an incident that goes on, or is over, with all there may be. */
  function pageOf(language: 'en' | 'es', changes: Partial<Incident> = {}): string {
    const each = (ago: number, outcome: 'ok' | 'failed') =>
      ({ at: now - ago, outcome, latencyMs: 12, detail: outcome === 'ok' ? 'HTTP 200' : 'HTTP 503' }) as const;
    const shown = incident({ endedAt: undefined, looks: [each(70_000, 'ok'), each(65_000, 'ok'), each(60_000, 'failed')], ...changes });
    const by = { probe: 'shop', incidentId: 'shop-1', by: 'monitor' } as const;
    store.write({
      ...none,
      incidents: [shown],
      messages: [
        message('firing', now - 50_000),
        message('reminder', now - 9_000, { state: 'failed', attempts: 4, lastError: 'HTTP 404' }),
      ],
      timeline: [
        { ...by, at: now - 49_000, event: 'evidence', detail: 'Sessions: 5 active', found },
        { ...by, at: now - 40_000, event: 'action', detail: 'restarted' },
      ],
    });
    const view = presentStory(shown, store.storyOf(shown), [], { now, language });
    return incidentHtml(view, voiceOf(language), { token: undefined, version: 'v', now }).replaceAll(/\s+/g, ' ');
  }

  test('says first why it is so and what to do next, with each command by itself, and who could take it on', () => {
    const page = pageOf('en');
    expect(page).toContain('<strong>PostgreSQL hangs: it lets itself be connected to and does not answer.</strong>');
    expect(page).toContain(
      '<pre class="command">SELECT pg_terminate_backend(7)</pre> <p class="small">ends it, once you know whose it is</p>',
    );
    expect(page).toContain('<pre class="command">npm run monitor -- ack shop-1</pre>');
    for (const changes of [{ acknowledged: { at: now, by: 'Ana' } }, { endedAt: now }])
      expect(pageOf('en', changes)).not.toContain('-- ack');
    expect(pageOf('en', { endedAt: now })).not.toContain('class="command"');
  });

  test('draws how long it went on, and marks when it was found out, told and taken on', () => {
    // The bar of 60 s is 672 wide and begins at 48; over, it is 624.
    expect(bars(pageOf('en'))).toEqual(['up 0', 'down 48', 'mark 159', 'mark 169']);
    const over = pageOf('en', { kind: 'degraded', endedAt: now, acknowledged: { at: now - 30_000, by: 'Ana' } });
    expect(bars(over)).toEqual(['up 0', 'degraded 48', 'up 672', 'mark 151', 'mark 160', 'mark 359']);
    expect(over).toContain('<dd>Ana, +30 s</dd>');
  });

  test('tells events beside the beginning and by the clock, looks that found the same in one line, and messages apart', () => {
    const page = pageOf('en');
    const events = [
      ...page.matchAll(/<strong>([+−][^<]+)<\/strong ?><time class="small" datetime="[^"]+" ?>([^<]+)<.*?<span class="pill" ?>([^<]+)</g),
    ];
    expect(events.map(([, offset, at, event]) => `${offset} ${at} ${event}`)).toEqual([
      '−10 s 2026-11-26 08:58:50 UTC look ok × 2',
      '+0 s 2026-11-26 08:59:00 UTC look failed',
      '+10 s 2026-11-26 08:59:10 UTC found out',
      '+11 s 2026-11-26 08:59:11 UTC evidence',
      '+20 s 2026-11-26 08:59:20 UTC action',
      '+10.9 s 2026-11-26 08:59:10 UTC accepted',
      '+51.9 s 2026-11-26 08:59:51 UTC set aside',
    ]);
    expect(page).toMatch(/firing, to slack, at the first attempt.*reminder, to slack, after 4 attempts.*HTTP 404/);
  });

  test('names in Spanish what the monitor found and did', () => {
    const page = pageOf('es');
    for (const word of [
      'pruebas recogidas',
      'acción del monitor',
      'Sesiones',
      'alerta, a slack, al primer intento',
      'apartado',
      '2 hallazgos',
      '<strong>PostgreSQL está colgado: acepta conexiones y no responde.</strong>',
      '<pre class="command">SELECT pg_terminate_backend(7)</pre> <p class="small">la termina, cuando sepa de quién es</p>',
    ])
      expect(page).toContain(word);
    for (const word of ['>evidence<', '>action<', '>Sessions<', 'firing', 'attempt']) expect(page).not.toContain(word);
  });

  test('shows everybody the post-mortem apart from the notes, and no message, look or finding', () => {
    const notes: Note[] = [
      note,
      { ...note, at: now - 20_000, kind: 'note', text: 'We are on it.' },
      { ...note, isPublic: false, text: 'the key leaked' },
    ];
    const [known] = presentPublicIncident(incident(), notes);
    if (!known) throw new Error('everybody may see it');
    const page = publicIncidentHtml(known, voiceOf('en'), now).replaceAll(/\s+/g, ' ');
    expect(page).toMatch(/<h2>What happened<\/h2> <article [^>]*> <p class="text">The disk was full\./);
    expect([...page.matchAll(/<strong>([+−][^<]+)</g)].map(([, offset]) => offset)).toEqual(['+0 s', '+40 s', '+1 m']);
    expect(page).not.toMatch(/slack|HTTP 503|leaked|<details|Ana/);
  });

  test('shows what people write as text, to operators and to everybody, and a form only to who is signed in', () => {
    store.write({ ...none, incidents: [incident({ detail: nasty })], notes: [note] });
    const view = presentStory(incident({ detail: nasty }), store.storyOf(incident()), store.notesOf(['shop-1']), { now, language: 'en' });
    const [known] = presentPublicIncident(incident(), store.notesOf(['shop-1']));
    if (!known) throw new Error('everybody may see it');
    for (const page of [
      incidentHtml(view, voiceOf('en'), { token: 'token', version: 'v', now }),
      publicIncidentHtml(known, voiceOf('es'), now),
    ]) {
      expect(page).not.toContain('<script>');
      expect(page).toContain('The disk was full.\n&quot;&gt;&lt;script&gt;');
    }
    expect(incidentHtml(view, voiceOf('en'), { token: undefined, version: 'v', now })).not.toContain('<form');
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
