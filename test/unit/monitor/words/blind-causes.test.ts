import { describe, expect, test } from 'vitest';
import { emailMessage } from '#monitor/alerts/channels/email.ts';
import { slackMessage } from '#monitor/alerts/channels/slack.ts';
import { describeAlert } from '#monitor/alerts/message-text.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { Incident } from '#monitor/model/incident.ts';
import type { Fact } from '#monitor/model/look.ts';
import type { Found } from '#monitor/model/quiet.ts';
import { incidentHtml } from '#monitor/status-page/incident-html.ts';
import { presentStory } from '#monitor/status-page/incident-view.ts';
import { voiceOf } from '#monitor/status-page/words.ts';
import { judge, type CauseName } from '#test/integration/monitor/evidence/judge.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-26T09:00:00Z');
const path = '/var/log/error.log';

/** What the monitor concludes where each cause is injected into a real stack. */
const concluded: Readonly<Record<CauseName, Found>> = {
  'PostgreSQL stopped': { cause: { code: 'doesNotRun', who: 'PostgreSQL' }, nextStep: { code: 'seeServer' } },
  'pool used up by a held lock': {
    cause: { code: 'lockHeld', application: 'psql', pid: 7, state: 'idle', waiting: 5, heldMs: 40_000, usesUpPool: true },
    nextStep: { code: 'endSession', pid: 7 },
  },
  'transaction left open': {
    cause: { code: 'transactionOpen', application: 'psql', pid: 7, isActive: false },
    nextStep: { code: 'endSession', pid: 7 },
  },
  'statement that is slow': {
    cause: { code: 'statementRuns', statement: 'SELECT pg_sleep(?), ?', application: 'report-by-hand', pid: 7, ageMs: 6_000 },
    nextStep: { code: 'cancelStatement', pid: 7 },
  },
  'errors in the log': { cause: { code: 'logErrors', path, last: 'ledger' }, nextStep: { code: 'seeLog', path } },
  'bad release': { cause: { code: 'startedBefore', beforeMs: 40_000 }, nextStep: { code: 'takeBackRelease' } },
  'load test': { cause: { code: 'loadTestRuns' }, nextStep: { code: 'endLoadTest' } },
  'Redis gone': { cause: { code: 'doesNotRun', who: 'Redis' }, nextStep: { code: 'seeMemory' } },
  'Redis frozen': { cause: { code: 'hangs', who: 'Redis' }, nextStep: { code: 'startAnew', who: 'Redis' } },
  'API frozen': { cause: { code: 'hangs', who: 'api' }, nextStep: { code: 'startAnew', who: 'api' } },
  'API gone': { cause: { code: 'doesNotRun', who: 'api' }, nextStep: { code: 'askByHand' } },
  'nginx gone': { cause: { code: 'doesNotRun', who: 'nginx' }, nextStep: { code: 'askByHand' } },
  'certificate over': { cause: { code: 'certificateOver', end: '2026-11-25' }, nextStep: { code: 'seeRenewal' } },
  'DNS gone': {
    cause: { code: 'nameServerSilent', server: '192.0.2.53' },
    nextStep: { code: 'traceName', type: 'A', host: 'shop.example', server: '192.0.2.53' },
  },
  'disk full': { cause: { code: 'diskFull', path: '/var', isFull: true }, nextStep: { code: 'seeDisk', path: '/var' } },
  'backup failed': { cause: { code: 'backupFailed' }, nextStep: { code: 'seeBackups' } },
  'last proven backup too old': {
    cause: { code: 'backupsUnproven', forMs: 3 * day, areTaken: false },
    nextStep: { code: 'seeBackups' },
  },
  'backups that nobody proves': {
    cause: { code: 'backupsUnproven', forMs: 3 * day, areTaken: true },
    nextStep: { code: 'seeBackups' },
  },
};

const runs = [
  { outcome: 'failed', count: 3 },
  { outcome: 'ok', count: 17 },
] as const;
const facts: readonly Fact[] = [
  ['Last looks', { code: 'lastLooks', runs }],
  ['Pool', { code: 'poolIs', inUse: 10, most: 10, waiting: 4 }],
  ['Lock', { code: 'lockIs', application: 'psql', pid: 7, waiting: 5, state: 'idle', heldMs: 40_000 }],
];

const at = (agoMs: number): string => new Date(now - agoMs).toISOString();
const alertOf = ({ cause = '', nextStep = '' }: Found): Alert => ({
  id: 'shop-1.firing.1',
  event: 'firing',
  incidentId: 'shop-1',
  probe: 'shop',
  cause,
  detail: 'HTTP 503',
  nextStep,
  impact: { code: 'allUsers', who: 'shop' },
  facts,
  startedAt: at(60_000),
  decidedAt: at(50_000),
  dependents: [{ name: 'site', status: 'degraded' }],
});
const delivery = { mayRepeat: true, mayComeAgain: true, delayMs: 90_000, tellsToo: [] };
const senderIn = (language: 'en' | 'es') =>
  ({ deployment: 'tests', host: 'tower', language, statusUrl: 'https://s.example', ackUrl: () => 'https://s.example/ack' }) as const;

const incident: Incident = {
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
  endedAt: undefined,
  looks: [{ at: now - 60_000, outcome: 'failed', latencyMs: 12, detail: 'HTTP 503' }],
};

function pageIn(language: 'en' | 'es', found: Found): string {
  const evidence = {
    at: now - 49_000,
    event: 'evidence',
    probe: 'shop',
    incidentId: 'shop-1',
    by: 'monitor',
    found: { ...found, facts },
  } as const;
  const message = { channel: 'slack', alert: alertOf(found), state: 'sent', attempts: 1, refusals: 0, isUncertain: false } as const;
  const story = {
    messages: [{ ...message, lastError: undefined, settledAt: now - 40_000 }],
    timeline: [{ ...evidence, detail: 'Pool: 10 of 10 connections in use' }],
    explained: [],
  };
  const view = presentStory(incident, story, [], { now, language });
  return incidentHtml(view, voiceOf(language), { token: 'token', version: 'v', now });
}

/** What is read of a page, without its style and its addresses. */
const readIn = (page: string): string =>
  page
    .replaceAll(/<(style|script)[\s\S]*?<\/\1>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

/** Words without which hardly any English sentence does, and that no Spanish one has. */
const english = /\b(?:the|is|are|was|it|its|that|which|and|or|of|to|for|by|from|with|not|who|what|look|shows?|ends|runs?)\b/i;
/** Commands, and the name of a program: they are the same for everybody. */
const commands = /npm run [\w-]+ -- [\w-]+(?: [\w-]+)?|report-by-hand/g;

describe.each(Object.entries(concluded))('"%s"', (name, found) => {
  test('is named in either language by the first words of Slack and of a mail', async () => {
    for (const language of ['en', 'es'] as const) {
      const alert = alertOf(found);
      const text = await describeAlert(alert, delivery, senderIn(language));
      expect(judge(slackMessage(text, 'firing').text ?? '', language)).toBe(name);
      const mail = emailMessage(alert, text, { from: 'm@shop.example', all: ['a@shop.example'] });
      expect(judge(`: ${(mail.text as string).split('\n')[2]}`, language)).toBe(name);
    }
  });

  test('stands without a word of English on a Spanish page, and in a Spanish mail', async () => {
    expect(readIn(pageIn('es', found)).replaceAll(commands, '')).not.toMatch(english);
    expect(readIn(pageIn('en', found))).toMatch(english);
    const text = await describeAlert(alertOf(found), delivery, senderIn('es'));
    const mail = emailMessage(alertOf(found), text, { from: 'm@shop.example', all: [] });
    for (const part of [mail.text as string, readIn(mail.html as string), JSON.stringify(slackMessage(text, 'firing'))])
      expect(part.replaceAll(commands, '')).not.toMatch(english);
  });
});

test('an incident of before, whose cause is a text on the timeline, shows that text to whoever reads Spanish too', () => {
  const detail = 'Cause: PostgreSQL hangs: it does not answer.; Sessions: 5 active; Next: look at the end of its log';
  const timeline = [{ at: now, event: 'evidence', probe: 'shop', incidentId: 'shop-1', by: 'monitor', detail }] as const;
  const view = presentStory(incident, { messages: [], timeline, explained: [] }, [], { now, language: 'es' });
  expect(view).toMatchObject({ cause: 'PostgreSQL hangs: it does not answer.', next_step: 'look at the end of its log' });
  expect(view.evidence).toEqual([{ label: 'Sessions', value: '5 active' }]);
});
