import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeMetrics } from '#monitor/evidence/api-metrics.ts';
import { causeOf, impactOf, type Scene } from '#monitor/evidence/cause.ts';
import { describeActivity } from '#monitor/evidence/database-activity.ts';
import { describeErrors, errorLines } from '#monitor/evidence/error-lines.ts';
import type { Signs } from '#monitor/evidence/source.ts';
import { initialHealth } from '#monitor/health/health-state.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { Fact, ProbeResult } from '#monitor/model/look.ts';
import { say } from '#monitor/words/say.ts';
import type { Sentence } from '#monitor/words/sentence.ts';

const began = Date.parse('2026-11-26T03:00:00Z');
const minute = 60_000;
const moment = { at: began, clockMs: 0 };

const alertOf = (given: Partial<Alert> = {}): Alert => ({
  id: 'api.firing.1',
  event: 'firing',
  incidentId: 'api-1',
  probe: 'api',
  detail: 'HTTP 500',
  startedAt: new Date(began).toISOString(),
  decidedAt: new Date(began).toISOString(),
  dependents: [],
  ...given,
});

const sceneOf = (kind: string, last: Partial<ProbeResult> = {}, signs: Signs = {}): Scene => ({
  target: {
    name: 'api',
    kind,
    health: { ...initialHealth('down', moment), recent: [{ outcome: 'failed', detail: 'HTTP 500', latencyMs: 1, ...moment, ...last }] },
  },
  targets: [],
  signs,
  watchingSince: began - 60 * minute,
});

const lock = { pid: 7, application: 'psql', state: 'idle in transaction', heldMs: 40_000, waiting: 5 };
const pool = { inUse: 10, most: 10, waiting: 4 };
const inEnglish = (found: Sentence | undefined): string | undefined => (found === undefined ? undefined : say(found, 'en'));
const toldOf = (facts: readonly Fact[]): string[][] => facts.map(([label, value]) => [label, say(value, 'en')]);
const sentence = (...given: Parameters<typeof causeOf>): string | undefined => inEnglish(causeOf(...given)?.cause);

describe('the cause of a message', () => {
  test('is a lock that others wait for, before anything that it brings about, and names whom to end', () => {
    const cause = causeOf(alertOf(), sceneOf('http', { isSilent: true }, { lock, pool, loadTestAnswers: 100 }));
    expect([cause?.cause, cause?.nextStep].map(inEnglish)).toEqual([
      'The pool of connections is used up: 5 statements wait for a lock that psql (process 7), idle in transaction, has held for up to 40 s.',
      'SELECT pg_terminate_backend(7) ends it, once you know whose it is',
    ]);
    expect(sentence(alertOf(), sceneOf('http', {}, { lock: { ...lock, waiting: 1 } }))).toBeUndefined();
    expect(sentence(alertOf(), sceneOf('certificate', {}, { lock, pool }))).toBeUndefined();
  });

  test.each([
    ['redis', { isSilent: true }, 'Redis hangs: it lets itself be connected to and does not answer.'],
    ['postgres', { detail: 'connect ECONNREFUSED 127.0.0.1:5432' }, 'PostgreSQL does not run: nothing listens at its port.'],
    ['http', { detail: 'the host name api is not found, while others are' }, 'api is gone: its host name does not exist.'],
  ] as const)('of a %s that shows %o is told in plain words', (kind, last, said) => {
    expect(sentence(alertOf(), sceneOf(kind, last))).toBe(said);
  });

  test('is a release that came shortly before, unless it came before the monitor, long ago or the API is gone altogether', () => {
    const startedAt = began - 40_000;
    expect(sentence(alertOf(), sceneOf('http', {}, { startedAt }))).toBe('The API was started anew 40 s before, as by a release.');
    expect(sentence(alertOf(), sceneOf('http', {}, { startedAt: began - 11 * minute }))).toBeUndefined();
    expect(sentence(alertOf(), { ...sceneOf('http', {}, { startedAt }), watchingSince: began })).toBeUndefined();
    expect(sentence(alertOf(), sceneOf('http', { detail: 'ECONNREFUSED' }, { startedAt }))).toMatch(/^api does not run/);
  });

  test('is a pool that is used up where requests wait for it, and not that the API hangs', () => {
    const said = 'The pool of connections is used up: all 10 are in use, and 4 requests wait for one.';
    expect(sentence(alertOf(), sceneOf('http', { isSilent: true }, { pool }))).toBe(said);
    expect(sentence(alertOf(), sceneOf('http', { isSilent: true }, { pool: { ...pool, waiting: 0 } }))).toMatch(/^api hangs/);
    expect(sentence(alertOf(), sceneOf('http', { isSilent: true }, { pool, loadTestAnswers: 9 }))).toBe('A load test runs against it.');
  });

  test('is a load test only of what serves requests', () => {
    expect(sentence(alertOf(), sceneOf('http', {}, { loadTestAnswers: 9 }))).toBe('A load test runs against it.');
    expect(sentence(alertOf({ facts: [['Load test', 'one runs']] }), sceneOf('objective'))).toBe('A load test runs against it.');
    expect(sentence(alertOf({ cause: 'The disk of / is full.' }), sceneOf('disk', {}, { loadTestAnswers: 9 }))).toBe(
      'The disk of / is full.',
    );
  });
});

const other = (status: 'up' | 'down') => [
  { name: 'site', kind: 'http', status: 'up' as const, dependsOn: [['nginx'], ['api', 'api-b']] },
  { name: 'api-b', kind: 'http', status, dependsOn: [] },
];

test('whoever is woken reads for whom something is broken: for nobody as long as another instance serves', () => {
  const scene = sceneOf('http');
  expect(inEnglish(impactOf(alertOf(), { ...scene, targets: other('up') }))).toBe('nobody, as long as api-b serves them alone');
  expect(inEnglish(impactOf(alertOf(), { ...scene, targets: other('down') }))).toBe('everybody who uses api');
  expect(inEnglish(impactOf(alertOf({ event: 'notice' }), sceneOf('certificate')))).toBe('nobody yet');
  expect(inEnglish(impactOf(alertOf({ event: 'unknown' }), scene))).toBe('perhaps nobody: the monitor cannot tell');
});

const answered = (route: string, labels: string, count: number): string =>
  `atalaya_http_request_duration_seconds_count{method="GET",route="${route}",${labels}} ${count}`;

const metricsOf = (customers: number, bad: number, loadTest: number): string =>
  [
    'atalaya_pool_connections{state="in_use"} 9',
    'atalaya_pool_connections{state="in_use",worker="1"} 9',
    'atalaya_pool_max 10',
    'atalaya_pool_waiting 3',
    'atalaya_workers_ready 2',
    'atalaya_worker_restarts_total 1',
    'atalaya_event_loop_utilization 0.5',
    'process_start_time_seconds 1000',
    answered('/api/v1/orders', 'status="200",worker="1"', customers),
    answered('/api/v1/orders', 'status="500",worker="1"', bad),
    answered('/api/v1/orders', 'status="500"', bad),
    answered('/api/v1/orders', 'status="200",load="test",worker="1"', loadTest),
  ].join('\n');

test('metrics tell the pool, the workers, the last start, and what is answered now, to customers and to a load test', () => {
  const { facts, signs } = describeMetrics([{ before: metricsOf(10, 0, 0), after: metricsOf(14, 2, 7) }]);
  expect(signs).toEqual({ pool: { inUse: 9, most: 10, waiting: 3 }, startedAt: 1_000_000, loadTestAnswers: 7 });
  expect(toldOf(facts)).toEqual([
    ['Pool', '9 of 10 connections in use, 3 wait for one'],
    ['Workers', '2 ready, 1 replaced since the start, 50.0 % busy'],
    ['Last start', 'of an API: 1970-01-01 00:16:40 UTC'],
    ['Answers', '6 to customers in 800 ms, 2 of them bad; 7 to a load test'],
    ['Server errors', 'since the start: 2 × GET /api/v1/orders 500'],
  ]);
  expect(describeMetrics([])).toEqual({ facts: [] });
});

test('the database tells who waits for whom, and the log its last errors that differ', () => {
  const holder = { pid: 7, application: 'psql', state: 'idle in transaction', heldMs: 40_000, waiting: 5 };
  const longest = { pid: 8, application: '', state: 'active', waitsFor: 'Lock', ageMs: 2_000, statement: 'UPDATE products SET stock = ?' };
  const { facts, signs } = describeActivity({ byState: [{ state: 'active', count: 5 }], longest: [longest], holders: [holder] });
  expect(toldOf(facts)).toEqual([
    ['Sessions', '5 active'],
    ['Transaction', '2 s old: a client without a name (process 8), active, waits for a lock: UPDATE products SET stock = ?'],
    ['Lock', '5 wait for psql (process 7), idle in transaction, in a transaction of 40 s'],
  ]);
  expect(signs).toEqual({ lock });

  const line = (msg: string, ago: number): string => JSON.stringify({ level: 'error', time: new Date(began - ago).toISOString(), msg });
  const text = [line('old', 6 * minute), line('refused', 2_000), line('refused', 1_000), line('broken', 500), ''].join('\n');
  expect(toldOf(describeErrors('/logs', text, began))).toEqual([
    ['Errors', '3 in /logs in the last 5 m'],
    ['Error', 'refused'],
    ['Error', 'broken'],
  ]);
});

test('errors are read from the end of a long log, as they were written', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-errors-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const [old, last] = ['ñ'.repeat(200), 'se cayó'].map(
    (msg) => `${JSON.stringify({ level: 'error', time: new Date(began - 1_000).toISOString(), msg })}\n`,
  );
  await writeFile(join(dir, 'error.log'), `${old?.repeat(300)}${last}`);
  const { facts } = await errorLines(dir, () => began).look(AbortSignal.timeout(5_000));
  expect(facts.at(-1)).toEqual(['Error', 'se cayó']);
  expect(facts).toHaveLength(3);
});
