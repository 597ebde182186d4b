import { describe, expect, test } from 'vitest';
import type { Delivery } from '#monitor/alerts/channel.ts';
import { emailMessage } from '#monitor/alerts/channels/email.ts';
import { parseRetryAfter } from '#monitor/alerts/channels/http-failure.ts';
import { slackMessage } from '#monitor/alerts/channels/slack.ts';
import { describeAlert, type MessageText, type Sender } from '#monitor/alerts/message-text.ts';
import type { Alert } from '#monitor/model/alert.ts';

const incidentId = 'postgresql-20261124T020000000Z';
const firing: Alert = {
  id: `${incidentId}.firing.1`,
  event: 'firing',
  incidentId,
  probe: 'postgresql',
  detail: 'PostgreSQL at db:5432 does not answer: <ECONNREFUSED> & more',
  facts: [['Says of itself', 'database']],
  nextStep: 'docker compose logs postgres',
  startedAt: '2026-11-24T02:00:00.000Z',
  decidedAt: '2026-11-24T02:00:09.000Z',
  dependents: [{ name: 'api', status: 'down' }],
};
const resolved: Alert = {
  ...firing,
  id: `${incidentId}.resolved.1`,
  event: 'resolved',
  detail: 'PostgreSQL at db:5432 answers',
  endedAt: '2026-11-24T02:03:12.000Z',
  dependents: [],
};
const first: Delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 100, tellsToo: [] };
const sender: Sender = { deployment: 'shop', language: 'en', host: 'tower-1', statusUrl: 'https://status.shop.example' };
const mailSettings = { from: 'Atalaya <monitor@shop.example>', all: ['a@shop.example', 'b@shop.example'] };

const describeFirst = (alert: Alert): Promise<MessageText> => describeAlert(alert, first, sender);
const labels = async (delivery: Delivery): Promise<string[]> =>
  (await describeAlert(firing, delivery, sender)).facts.map(([label]) => label);

describe('a message', () => {
  test('to Slack begins with state and name, and escapes what Slack would read as markup', async () => {
    const { text, blocks } = slackMessage(await describeFirst(firing), 'firing');
    expect(text).toBe('[FIRING] postgresql (shop): PostgreSQL at db:5432 does not answer: &lt;ECONNREFUSED&gt; &amp; more');
    expect(JSON.stringify(blocks)).toContain('*Depends on it:* api (down)');
    expect(slackMessage(await describeFirst(resolved), 'resolved').text).toMatch(/^\[RESOLVED\] postgresql /);
  });

  test('by mail has state and name as its subject, an id of its own, and forms a thread with its incident', async () => {
    const down = emailMessage(firing, await describeFirst(firing), mailSettings);
    const up = emailMessage(resolved, await describeFirst(resolved), mailSettings);
    expect(down.subject).toBe('[FIRING] postgresql (shop)');
    expect(up.subject).toBe('[RESOLVED] postgresql (shop)');
    expect(down.messageId).toBe('<postgresql-20261124T020000000Z.firing.1@shop.example>');
    expect(down.inReplyTo).toBeUndefined();
    expect(up).toMatchObject({ inReplyTo: down.messageId, references: down.messageId });
    expect(up.text).toMatch(/^Lasted: +3 m 12 s$/m);
    expect(down.to).toEqual(mailSettings.all);
  });

  // As `incidentId` names incidents of each kind.
  test.each([
    ['known', '-unknown', 'unknown'],
    ['reminder', '-unknown', 'unknown'],
    ['settled', '-flapping', 'flapping'],
    ['reminder', '-flapping', 'flapping'],
    ['reminder', '', 'firing'],
  ] as const)('%s by mail of an incident …%s answers its %s', async (event, kind, opening) => {
    const mail = emailMessage({ ...firing, event, incidentId: `${incidentId}${kind}` }, await describeFirst(firing), mailSettings);
    expect(mail.inReplyTo).toBe(`<${incidentId}${kind}.${opening}.1@shop.example>`);
  });

  test('tells whoever is woken which deployment and machine it is, what is critical, what to look at next, and where the page is', async () => {
    const mail = emailMessage(firing, await describeFirst(firing), mailSettings);
    const slack = JSON.stringify(slackMessage(await describeFirst(firing), 'firing'));
    for (const part of ['shop, on tower-1', 'Says of itself', 'docker compose logs postgres', 'https://status.shop.example']) {
      expect(mail.text).toContain(part);
      expect(mail.html).toContain(part);
      expect(slack).toContain(part);
    }
  });

  test('by mail shows whatever a target says as text, never as markup', async () => {
    const { html } = emailMessage(firing, await describeFirst({ ...firing, facts: [['Error', '<b>"><script>']] }), mailSettings);
    expect(html).toContain('&lt;ECONNREFUSED&gt; &amp; more');
    expect(html).not.toMatch(/<script|<b>/);
  });

  test('that comes late or perhaps twice says so', async () => {
    const always = ['Since', 'Says of itself', 'Depends on it', 'Monitor', 'Incident'];
    expect(await labels(first)).toEqual(always);
    expect(await labels({ ...first, mayRepeat: true, delayMs: 180_000 })).toEqual([...always, 'Delayed', 'Note']);
    expect(await labels({ ...first, mayComeAgain: true })).toEqual([...always, 'Note']);
  });

  test('that tells outages nobody was told of names each with its time and length', async () => {
    const earlier = { ...firing, incidentId: 'a', detail: 'refused', startedAt: '2026-11-24T01:00:00.000Z' };
    const end = { ...resolved, incidentId: 'a', endedAt: '2026-11-24T01:00:30.000Z' };
    const { facts } = await describeAlert(resolved, { ...first, tellsToo: [earlier, end, firing] }, sender);
    expect(facts.filter(([label]) => label === 'Not told in time')).toEqual([
      ['Not told in time', '2026-11-24 01:00:00 UTC, for 30 s: refused'],
      ['Not told in time', `2026-11-24 02:00:00 UTC, for 3 m 12 s: ${firing.detail}`],
    ]);
  });
});

test.each([
  [null, undefined],
  ['', undefined],
  ['soon', undefined],
  ['30', 30_000],
  ['Tue, 24 Nov 2026 02:01:00 GMT', 60_000],
  ['Tue, 24 Nov 2026 01:00:00 GMT', 0],
])('Retry-After %s is %s ms', (value, ms) => {
  expect(parseRetryAfter(value, Date.parse('2026-11-24T02:00:00Z'))).toBe(ms);
});
