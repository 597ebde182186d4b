import { expect, test } from 'vitest';
import { createEvidence, withEvidence } from '#monitor/evidence/evidence.ts';
import { gather, type Source } from '#monitor/evidence/source.ts';
import type { TargetSnapshot } from '#monitor/health/watch.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { TimelineEntry } from '#monitor/model/quiet.ts';
import type { Label } from '#monitor/words/labels.ts';
import { say } from '#monitor/words/say.ts';

const shows = (name: Label, value: string): Source => ({ name, look: () => Promise.resolve({ facts: [[name, value]] }) });
const hangs: Source = { name: 'PostgreSQL', look: () => new Promise(() => {}) };

test('what does not show itself in time, or fails, is named as not seen, and holds up nothing else', async () => {
  const refused: Source = { name: 'metrics', look: () => Promise.reject(new Error('refused')) };
  const { facts } = await gather([shows('Pool', 'full'), hangs, refused], 30);
  expect(facts).toEqual([
    ['Pool', 'full'],
    ['Not seen', 'PostgreSQL: nothing came within 0.03 s'],
    ['Not seen', 'metrics: refused'],
  ]);
});

test('evidence is few short lines without a secret, whatever a source shows', async () => {
  const secret = 'smtp://monitor:hunter2@mail.example';
  const talks: Source = {
    name: 'log',
    look: () => Promise.resolve({ facts: Array.from({ length: 100 }, () => ['Error', `${secret}\n${'x'.repeat(10_000)}`]) }),
  };
  const { facts } = await gather([talks]);
  expect(facts).toHaveLength(24);
  for (const [, value] of facts) {
    expect(say(value, 'en').length).toBeLessThanOrEqual(240);
    expect(value).not.toMatch(/hunter2|\n/);
  }
});

const moment = { at: 1_000, clockMs: 1_000 };
const alert: Alert = {
  id: 'api.firing.1',
  event: 'firing',
  incidentId: 'api-1',
  probe: 'api',
  detail: 'http://api does not answer: connect ECONNREFUSED',
  startedAt: new Date(0).toISOString(),
  decidedAt: new Date(1_000).toISOString(),
  dependents: [],
};
const target = {
  name: 'api',
  kind: 'http',
  dependsOn: [],
  status: 'down',
  incidents: [],
  health: { ...initialHealth('down', moment), recent: [{ outcome: 'failed', detail: alert.detail, latencyMs: 1, ...moment }] },
} as unknown as TargetSnapshot;

test('a message waits for the evidence that was begun with it, tells cause and impact, and keeps them on the timeline of its incident', async () => {
  const timeline: TimelineEntry[] = [];
  const sent: Alert[] = [];
  const evidence = createEvidence({
    sources: [shows('Pool', '10 of 10')],
    snapshot: () => [target],
    keep: (entry) => void timeline.push(entry),
    watchingSince: 0,
    clock: () => moment,
  });
  const channel = withEvidence({ name: 'slack', minSpacingMs: 0, send: (told) => Promise.resolve(void sent.push(told)) }, evidence);
  evidence.begin([alert]);
  const delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] };
  for (const one of [alert, { ...alert, id: 'api.resolved.1', event: 'resolved' as const }])
    await channel.send(one, delivery, new AbortController().signal);
  expect(sent[0]).toMatchObject({
    cause: { code: 'doesNotRun', who: 'api' },
    impact: { code: 'allUsers', who: 'api' },
    facts: [['Pool', '10 of 10']],
  });
  expect(sent[1]).not.toHaveProperty('cause');
  expect(timeline).toEqual([
    {
      at: 1_000,
      event: 'evidence',
      probe: 'api',
      incidentId: 'api-1',
      by: 'monitor',
      detail: 'Pool: 10 of 10',
      found: { cause: { code: 'doesNotRun', who: 'api' }, facts: [['Pool', '10 of 10']] },
    },
  ]);
});
