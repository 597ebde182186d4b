import { expect, test } from 'vitest';
import type { Alert } from '#monitor/model/alert.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';

const alert: Alert = {
  id: 'api-1.firing.1',
  event: 'firing',
  incidentId: 'api-1',
  probe: 'api',
  detail: 'no answer',
  startedAt: '2026-11-26T02:00:00.000Z',
  decidedAt: '2026-11-26T02:00:10.000Z',
  dependents: [],
};
const at = (clockMs: number) => ({ at: clockMs, clockMs });

test('what begins while a load test runs, or within three minutes of it, says so first; what ends does not', () => {
  const sight = createLoadTestSight();
  expect(sight.mention(alert, at(0))).toBe(alert);
  sight.note(0, at(0));
  expect(sight.mention(alert, at(0))).toBe(alert);
  sight.note(1_200, at(1_000));
  const facts = [['Load test', { code: 'loadTestSeen', answers: 1_200 }]];
  expect(sight.mention({ ...alert, facts: [['Pool', '503']] }, at(181_000)).facts).toEqual([...facts, ['Pool', '503']]);
  expect(sight.mention(alert, at(181_001))).toBe(alert);
  const over = { ...alert, event: 'resolved' as const, endedAt: alert.decidedAt };
  expect(sight.mention(over, at(1_000))).toBe(over);
});
