import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readEnv } from '#lib/env.ts';
import { channelEnv, channelProblems } from '#monitor/alerts/channels/kinds.ts';
import { webhookForms, type Told } from '#monitor/alerts/channels/webhook-forms.ts';
import { signature } from '#monitor/alerts/channels/webhook.ts';
import { describeAlert, type Sender } from '#monitor/alerts/message-text.ts';
import type { Alert } from '#monitor/model/alert.ts';

const sender: Sender = { deployment: 'shop', language: 'en', host: 'tower-1', statusUrl: 'https://status.shop.example' };
const delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] };

async function told(changes: Partial<Alert> = {}): Promise<Told> {
  const alert: Alert = {
    id: 'api-1.firing.1',
    event: 'firing',
    incidentId: 'api-1',
    probe: 'api',
    detail: 'HTTP 503',
    facts: [['Says of itself', 'checks.database is critical']],
    nextStep: 'docker compose logs api-a',
    startedAt: '2026-11-24T02:00:00.000Z',
    decidedAt: '2026-11-24T02:00:09.000Z',
    dependents: [],
    ...changes,
  };
  return { alert, text: await describeAlert(alert, delivery, sender), delivery };
}

const resolved: Partial<Alert> = { id: 'api-1.resolved.1', event: 'resolved', detail: 'HTTP 200', endedAt: '2026-11-24T02:03:00.000Z' };

describe('in every form', () => {
  test.each(Object.entries(webhookForms))('%s, a message says what, where to look next and the status page', async (_name, form) => {
    const body = JSON.stringify(form(await told(), 'routing-key'));
    for (const part of ['[FIRING] api (shop)', 'HTTP 503', 'checks.database is critical', 'docker compose logs api-a', sender.statusUrl])
      expect(body).toContain(part);
  });
});

describe('the standard form', () => {
  test('holds the whole alert, under the id by which a repeat is known', async () => {
    expect(webhookForms.standard(await told(resolved), undefined)).toMatchObject({
      type: 'alert.resolved',
      timestamp: '2026-11-24T02:00:09.000Z',
      data: { id: 'api-1.resolved.1', incident_id: 'api-1', target: 'api', ended_at: '2026-11-24T02:03:00.000Z', may_repeat: false },
    });
  });

  test('is signed over id, second and body, with the bytes behind whsec_ or the text itself as key', () => {
    const message = { id: 'api-1.firing.1', atMs: 1_700_000_000_999, body: '{"a":1}' };
    const bytes = Buffer.from('0123456789abcdef');
    const expected = createHmac('sha256', bytes).update('api-1.firing.1.1700000000.{"a":1}').digest('base64');
    for (const key of [`whsec_${bytes.toString('base64')}`, bytes.toString()]) {
      expect(signature(message, key)).toEqual({ 'webhook-timestamp': '1700000000', 'webhook-signature': `v1,${expected}` });
    }
  });
});

describe('PagerDuty', () => {
  test('gets the beginning and the end of an incident under one key', async () => {
    const [begin, end] = (await Promise.all([told(), told(resolved)])).map((each) => webhookForms.pagerduty(each, 'routing-key'));
    expect(begin).toMatchObject({
      routing_key: 'routing-key',
      event_action: 'trigger',
      dedup_key: 'api-1',
      payload: { severity: 'critical' },
    });
    expect(end).toMatchObject({ event_action: 'resolve', dedup_key: 'api-1' });
  });

  test.each([
    ['firing', 'trigger', 'critical'],
    ['reminder', 'trigger', 'critical'],
    ['flapping', 'trigger', 'warning'],
    ['unknown', 'trigger', 'warning'],
    ['notice', 'trigger', 'warning'],
    ['test', 'trigger', 'info'],
    ['settled', 'resolve', 'info'],
    ['known', 'resolve', 'info'],
  ] as const)('takes %s as %s of severity %s', async (event, action, severity) => {
    expect(webhookForms.pagerduty(await told({ event }), 'k')).toMatchObject({ event_action: action, payload: { severity } });
  });
});

test.each([
  ['a long detail and many long facts', 9_000, 40],
  ['one fact', 10, 1],
  ['none', 5_000, 0],
])(
  'with %s Discord takes the whole: below 6,000 characters, at most 25 fields, and no name is called',
  async (_sentence, length, count) => {
    const long = '@everyone '.repeat(length / 10);
    const facts = Array.from({ length: count }, () => ['Error', long] as const);
    const { allowed_mentions: mentions, embeds } = webhookForms.discord(await told({ detail: long, facts }), undefined) as DiscordBody;
    const [{ title, description, fields }] = embeds;
    expect(mentions).toEqual({ parse: [] });
    expect(fields.length).toBeLessThanOrEqual(25);
    expect([title, description, ...fields.flatMap(({ name, value }) => [name, value])].join('').length).toBeLessThan(6_000);
  },
);

type DiscordBody = {
  readonly allowed_mentions: object;
  readonly embeds: readonly [{ title: string; description: string; fields: { name: string; value: string }[] }];
};

const problemsOf = (env: Record<string, string>): string[] => channelProblems(readEnv(channelEnv, env));

describe('the variables of the webhook', () => {
  const url = { WEBHOOK_URL: 'https://hooks.example/x' };
  const key = { WEBHOOK_KEY: '0123456789abcdef' };

  test.each([
    ['nothing', {}, []],
    ['a URL', url, []],
    ['a URL and a key', { ...url, ...key }, []],
    ['a key alone', key, ['WEBHOOK_URL is not set; it is required with WEBHOOK_KEY']],
    [
      'PagerDuty without a key',
      { ...url, WEBHOOK_FORM: 'pagerduty' },
      ['WEBHOOK_KEY is not set; with WEBHOOK_FORM=pagerduty it is the routing key'],
    ],
    ['PagerDuty with one', { ...url, ...key, WEBHOOK_FORM: 'pagerduty' }, []],
    ['Discord with a key', { ...url, ...key, WEBHOOK_FORM: 'discord' }, ['WEBHOOK_KEY is set, but discord takes none; remove it']],
  ])('%s: %j', (_sentence, env, problems) => {
    expect(problemsOf(env)).toEqual(problems);
  });
});
