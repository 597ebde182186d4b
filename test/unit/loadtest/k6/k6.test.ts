import { describe, expect, test } from 'vitest';
import { judgeK6, k6Report, readK6Summary } from '#loadtest/k6/k6-summary.ts';
import { k6Script } from '#loadtest/k6/k6-script.ts';
import type { Load, Phase } from '#loadtest/measurement/measurement.ts';
import { phaseOf } from '#loadtest/plans/phase-of.ts';
import { users } from '#loadtest/plans/users.ts';
import { junitXml } from '#loadtest/report/junit.ts';
import { escapeText } from '#lib/html.ts';
import { budget } from '../build-measurement.ts';

type Options = {
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
};

const now = '2026-01-01T00:00:00Z';
const planned = phaseOf(users.phases[0], { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] }, 2);

/** What the script of a phase tells k6, read back from its text. */
function optionsOf(phase: Phase): Options {
  const scenario = { script: 'export default () => {};', facts: { weights: { browse: 6 } }, endpoints: ['GET /products/:id'] };
  const text = k6Script({ name: 'users', budget, phase, scenario, target: 'http://127.0.0.1:8000' });
  const json = /export const options = ([\s\S]*?);\n\nexport default/.exec(text)?.[1] ?? '';
  return JSON.parse(json) as Options;
}

describe('a plan as a script for k6', () => {
  test('has the users, the warm-up apart from what is measured, and the limits, over all and of each endpoint', () => {
    const { scenarios, thresholds } = optionsOf(planned);
    expect(scenarios).toMatchObject({
      warmUp: { executor: 'constant-vus', vus: 400, duration: '5000ms', gracefulStop: '0s' },
      measured: { executor: 'constant-vus', vus: 400, startTime: '5000ms', duration: '30000ms' },
    });
    expect(thresholds['http_req_duration{scenario:measured}']).toEqual(['p(95)<200', 'p(99)<500']);
    expect(thresholds['http_req_duration{scenario:measured,endpoint:GET /products/:id}']).toEqual(['p(95)<200', 'p(99)<500']);
    expect(thresholds['wrong_answers']).toEqual(['rate<0.01']);
  });

  test('has the stages of an open load as rates, a jump as a ramp of no length', () => {
    const load: Load = {
      kind: 'open',
      users: 300,
      spacing: 'poisson',
      stages: [
        { fromPerSecond: 50, toPerSecond: 100, durationMs: 10_000 },
        { fromPerSecond: 200, toPerSecond: 200, durationMs: 5_000 },
      ],
    };
    expect(optionsOf({ ...planned, load }).scenarios['measured']).toMatchObject({
      executor: 'ramping-arrival-rate',
      startRate: 50,
      maxVUs: 300,
      stages: [
        { duration: '10000ms', target: 100 },
        { duration: '0s', target: 200 },
        { duration: '5000ms', target: 200 },
      ],
    });
  });

  test('sets no limit to the latency of users who never pause: they make it themselves', () => {
    const { thresholds } = optionsOf({ ...planned, load: { kind: 'saturating', users: 10 } });
    expect(thresholds['http_req_duration{scenario:measured}']).toEqual(['p(95)>=0']);
  });

  test('every endpoint that the shop’s script asks has its limits', () => {
    const { script, endpoints } = users.scenario.k6?.() ?? { script: '', endpoints: [] };
    const asked = [...script.matchAll(/'((?:GET|POST) \/[^']*)'/g)].map(([, endpoint = '']) => endpoint);
    expect([...new Set(asked)].toSorted()).toEqual([...endpoints].toSorted());
  });
});

/** A summary as `--summary-export` writes it. */
const summary = (changes: Readonly<Record<string, object>> = {}): string =>
  JSON.stringify({
    root_group: {},
    metrics: {
      'http_req_duration{scenario:measured}': { count: 900, 'p(95)': 20, 'p(99)': 40 },
      'http_req_duration{scenario:measured,endpoint:GET /orders/:id}': { count: 300, 'p(95)': 20, 'p(99)': 40 },
      wrong_answers: { value: 0, passes: 0, fails: 900 },
      ...changes,
    },
  });
const judged = (changes: Readonly<Record<string, object>> = {}) => judgeK6('users', budget, readK6Summary('s.json', summary(changes)));
const outcomes = (changes: Readonly<Record<string, object>> = {}) =>
  Object.fromEntries(judged(changes).checks.map(({ id, outcome }) => [id, outcome]));

describe('what k6 measured', () => {
  test('is judged by the budget of the plan, and what k6 cannot tell is not checked', async () => {
    expect(judged().verdict).toBe('PASS');
    expect(outcomes()).toEqual({
      'latency-p95': 'met',
      'latency-p99': 'met',
      'error-rate': 'met',
      'endpoint-latency': 'met',
      'arrivals-sent': 'met',
      windows: 'not-checked',
      answers: 'not-checked',
      books: 'not-checked',
      client: 'not-checked',
    });
    expect((await k6Report(judged(), now)).text).toMatch(
      /^users, measured by k6\nmet: 95 % of answers within 20 ms \(< 200 ms\)[\s\S]*not checked: The books/,
    );
  });

  test.each([
    ['latency-p95', { 'http_req_duration{scenario:measured}': { 'p(95)': 200, 'p(99)': 300 } }],
    ['latency-p99', { 'http_req_duration{scenario:measured}': { 'p(95)': 20, 'p(99)': 600 } }],
    ['error-rate', { wrong_answers: { value: 0.01 } }],
    [
      'endpoint-latency',
      { 'http_req_duration{scenario:measured,endpoint:POST /orders (again)}': { count: 30, 'p(95)': 250, 'p(99)': 300 } },
    ],
  ])('misses %s with what is beyond the limit, and is a FAIL', (id, changes) => {
    expect(outcomes(changes)[id]).toBe('broken');
    expect(judged(changes).verdict).toBe('FAIL');
  });

  test('an endpoint is named as the script named it, and too few answers hold nothing against it', () => {
    const slow = { 'p(95)': 250, 'p(99)': 600 };
    const name = 'http_req_duration{scenario:measured,endpoint:GET /products/:id}';
    const { checks } = judged({ [name]: { ...slow, count: 50 } });
    expect(checks.find(({ id }) => id === 'endpoint-latency')?.measured).toBe('GET /products/:id: p95 is 250 ms');
    expect(outcomes({ [name]: { ...slow, count: 19 } })['endpoint-latency']).toBe('met');
  });

  test('is told in JUnit and on a page, the miss with its reason', async () => {
    const { suites, html, json } = await k6Report(judged({ wrong_answers: { value: 0.5 } }), now);
    const [reason] = ['50.0 % of the requests failed, allowed is < 1.00 %'];
    expect(junitXml(suites)).toContain(`<failure type="error-rate" message="${escapeText(reason)}">`);
    expect(junitXml(suites)).toMatch(/failures="1" errors="0" skipped="4"/);
    expect(html).toContain(escapeText(reason));
    expect(json).toMatchObject({ verdict: 'FAIL', exitCode: 99, plan: 'users' });
  });

  test('of which arrivals were dropped proves nothing', () => {
    expect(judged({ dropped_iterations: { count: 3, rate: 0.1 } }).verdict).toBe('INVALID');
  });

  test('is read from handleSummary too, where the figures stand one level deeper', () => {
    const deep = { 'http_req_duration{scenario:measured}': { type: 'trend', values: { 'p(95)': 250, 'p(99)': 300 } } };
    expect(outcomes(deep)['latency-p95']).toBe('broken');
    expect(outcomes({ wrong_answers: { type: 'rate', values: { rate: 0.5 } } })['error-rate']).toBe('broken');
  });

  test('is refused where it is no summary, and not believed where it holds nothing', () => {
    expect(() => readK6Summary('s.json', '{"version":1}')).toThrow('s.json is neither the folder of a run nor a summary of k6');
    expect(judgeK6('users', budget, readK6Summary('s.json', '{"metrics":{}}')).checks[0]?.outcome).toBe('not-checked');
  });
});
