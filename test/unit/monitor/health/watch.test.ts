import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { createWatch } from '#monitor/health/watch.ts';
import { incidentId, type Incident, type IncidentKind, type TickCommit } from '#monitor/model/incident.ts';
import { systemClock } from '#monitor/model/look.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });

const open = (kind: IncidentKind, firedAt: number | undefined): Incident => ({
  id: incidentId('gone', 1_000, kind),
  kind,
  probe: 'gone',
  startedAt: 1_000,
  detectedAt: 2_000,
  detail: 'refused',
  firedAt,
  reminders: 0,
  lastToldAt: firedAt,
  suppressedBy: undefined,
  endedAt: undefined,
});

test.each([
  ['down', 2_000, ['resolved gone']],
  ['unknown', 2_000, ['known gone']],
  ['flapping', 2_000, ['settled gone']],
  ['degraded', 2_000, []],
  ['down', undefined, []],
] as const)('what is open (%s, told at %s) of a target that is no longer watched is ended: %j', (kind, firedAt, told) => {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  store.write({ health: [], incidents: [open(kind, firedAt)], messages: [] });
  const commits: TickCommit[] = [];
  createWatch({ targets: [], flap: undefined, store, commit: (tick) => commits.push(tick), clock: systemClock, logger });
  expect(commits.flatMap(({ incidents }) => incidents)).toMatchObject([{ kind, endedAt: expect.any(Number) }]);
  expect(commits.flatMap(({ alerts }) => alerts.map(({ event, probe }) => `${event} ${probe}`))).toEqual(told);
});
