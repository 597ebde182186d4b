import { describe, expect, test } from 'vitest';
import type { Delivery } from '#monitor/alerts/channel.ts';
import { emailMessage } from '#monitor/alerts/channels/email.ts';
import { isPassingStatus, parseRetryAfter, slackMessage } from '#monitor/alerts/channels/slack.ts';
import { alertFacts } from '#monitor/alerts/message-text.ts';
import type { Alert } from '#monitor/model/alert.ts';
import { shortDuration } from '#monitor/model/show.ts';

const firing: Alert = {
  id: 'postgresql-20261124T020000000Z.firing.1',
  event: 'firing',
  incidentId: 'postgresql-20261124T020000000Z',
  probe: 'postgresql',
  detail: 'PostgreSQL at db:5432 does not answer: <ECONNREFUSED> & more',
  startedAt: '2026-11-24T02:00:00.000Z',
  decidedAt: '2026-11-24T02:00:09.000Z',
  dependents: [{ name: 'api', status: 'down' }],
};
const resolved: Alert = {
  ...firing,
  id: 'postgresql-20261124T020000000Z.resolved.1',
  event: 'resolved',
  detail: 'PostgreSQL at db:5432 answers',
  endedAt: '2026-11-24T02:03:12.000Z',
  dependents: [],
};
const first: Delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 100, tellsToo: [] };
const mailSettings = { from: 'Atalaya <monitor@shop.example>', to: ['a@shop.example', 'b@shop.example'] };

const labels = (delivery: Delivery): string[] => alertFacts(firing, delivery).map(([label]) => label);

describe('a message', () => {
  test('to Slack begins with state and name, and escapes what Slack would read as markup', () => {
    const { text, blocks } = slackMessage(firing, first);
    expect(text).toBe('[FIRING] postgresql: PostgreSQL at db:5432 does not answer: &lt;ECONNREFUSED&gt; &amp; more');
    expect(JSON.stringify(blocks)).toContain('*Depends on it:* api (down)');
    expect(slackMessage(resolved, first).text).toMatch(/^\[RESOLVED\] postgresql: /);
  });

  test('by mail has state and name as its subject, an id of its own, and forms a thread with its incident', () => {
    const down = emailMessage(firing, first, mailSettings);
    const up = emailMessage(resolved, first, mailSettings);
    expect(down.subject).toBe('[FIRING] postgresql');
    expect(up.subject).toBe('[RESOLVED] postgresql');
    expect(down.messageId).toBe('<postgresql-20261124T020000000Z.firing.1@shop.example>');
    expect(up).toMatchObject({ inReplyTo: down.messageId, references: down.messageId });
    expect(up.text).toContain('Lasted:        3 m 12 s');
    expect(down.to).toEqual(mailSettings.to);
  });

  test('that comes late or perhaps twice says so', () => {
    expect(labels(first)).toEqual(['Since', 'Depends on it', 'Incident']);
    expect(labels({ ...first, mayRepeat: true, delayMs: 180_000 })).toEqual(['Since', 'Depends on it', 'Incident', 'Delayed', 'Note']);
  });
});

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 m'],
  [192_000, '3 m 12 s'],
  [3_600_000 * 25, '1 d 1 h'],
  [-5, '0 s'],
])('%i ms is said as %s', (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
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

test('only statuses that may pass are tried again', () => {
  expect([200, 400, 401, 403, 404, 408, 410, 413, 425, 429, 500, 502, 503].filter(isPassingStatus)).toEqual([408, 425, 429, 500, 502, 503]);
});
