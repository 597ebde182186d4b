import { describe, expect, test } from 'vitest';
import { escapeText } from '#lib/html.ts';
import { conclude, type Conclusion } from '#loadtest/size-pool/conclusion.ts';
import { junitXml } from '#loadtest/report/junit.ts';
import { nextStep, type Question } from '#loadtest/size-pool/next-step.ts';
import { sizingReport } from '#loadtest/size-pool/report.ts';
import { limitedBy, totalOf, type Played, type PoolSetting, type Shortage } from '#loadtest/size-pool/window.ts';

const nothingSeen: Shortage = { cpu: null, workerCpu: null, active: null, waitingForLock: null };
const busy: Shortage = { ...nothingSeen, cpu: { busy: 0.97, api: 0.5, database: 0.3, client: 0.15, others: 0.02 } };

type Behaviour = {
  readonly speed: (setting: PoolSetting, isHeldOut: boolean) => number;
  readonly p95Ms?: (setting: PoolSetting) => number;
};

/** Plays a course whose windows are those of a service without any noise. */
function playOut(question: Question, { speed, p95Ms = () => 10 }: Behaviour) {
  const played: Played[] = [];
  for (;;) {
    const next = nextStep(played, question);
    if (next.kind !== 'play') return { played, conclusion: conclude(question, { workers: 2, users: 96 }, played, next) };
    const { setting, stage, round } = next;
    const perSecond = speed(setting, stage === 'held-out');
    played.push({ setting, stage, round, perSecond, p95Ms: p95Ms(setting), errorShare: 0, clientUse: 0.3, shortage: busy });
  }
}

const question: Question = { sizes: [1, 2, 4, 8, 16], configured: { size: 10, overflow: 10 }, seed: 1 };
const startedAt = '2026-01-01T00:00:00Z';
const junitOf = async (conclusion: Conclusion): Promise<string> => junitXml((await sizingReport(conclusion, startedAt)).suites);
const failing = (played: Played): Played => ({ ...played, errorShare: 0.02 });
const risingTo = (enough: number) => (setting: PoolSetting) => 100 * Math.min(enough, totalOf(setting));

const law = (kappa: number) => (setting: PoolSetting) => {
  const n = totalOf(setting);
  return (100 * n) / (1 + 0.1 * (n - 1) + kappa * n * (n - 1));
};

describe('what is said at the end', () => {
  test('the line is ready to paste, names what limits, and what is configured is measured beside it', async () => {
    const { conclusion, played } = playOut(question, { speed: risingTo(4) });
    expect(conclusion.verdict).toBe('PASS');
    expect(conclusion.line).toMatch(/^DB_POOL_SIZE=4 DB_MAX_OVERFLOW=0 {2}# .* limited by this machine's CPU: 97 % in use \(API 50 %/);
    const heldOut = played.filter(({ stage, round }) => stage === 'held-out' && round === 0).map(({ setting }) => setting);
    expect(heldOut.toSorted((a, b) => totalOf(a) - totalOf(b))).toEqual(
      [2, 4, 8, question.configured].map((one) => (typeof one === 'number' ? { size: one, overflow: 0 } : one)),
    );
    const { text, markdown, html, json } = await sizingReport(conclusion, startedAt);
    for (const report of [text, markdown]) expect(report).toContain(conclusion.line);
    expect(html).toContain(escapeText(conclusion.line ?? ''));
    expect(json).toMatchObject({ verdict: 'PASS', recommended: { size: 4, overflow: 0 } });
  });

  test('what is configured and surely loses is a FAIL, in JUnit too', async () => {
    const { conclusion } = playOut({ ...question, configured: { size: 1, overflow: 0 } }, { speed: risingTo(4) });
    expect(conclusion.verdict).toBe('FAIL');
    expect(await junitOf(conclusion)).toContain('<failure type="pool-size" message="applied and measured again');
  });

  test.each([
    [
      'twice as many do better in the rounds held out',
      { speed: (s: PoolSetting, again: boolean) => (again ? 100 : 1) * risingTo(again ? 8 : 4)(s) },
    ],
    ['half as many do as well in the rounds held out', { speed: (s: PoolSetting, again: boolean) => risingTo(again ? 2 : 4)(s) }],
    ['its p95 is worse than that of twice as many', { speed: risingTo(4), p95Ms: (s: PoolSetting) => (totalOf(s) === 4 ? 20 : 10) }],
  ])('nothing is recommended when %s', async (_why, behaviour) => {
    const { conclusion } = playOut(question, behaviour);
    expect(conclusion).toMatchObject({ verdict: 'INVALID', line: undefined, end: { reason: 'not confirmed' } });
    expect(await junitOf(conclusion)).toContain('<error type="pool-size" message="no size is recommended (not confirmed)');
  });

  test('of a machine that is too noisy its own part is told, and what can tell more', () => {
    const swinging = (): number => 100 + 60 * Math.sin(++windows * windows);
    let windows = 0;
    const { end, says, rows } = playOut(question, { speed: swinging }).conclusion;
    expect(end).toMatchObject({ reason: 'too noisy' });
    expect(says[1]).toMatch(/^meanwhile it was limited by this machine's CPU: 97 % in use .* longer windows \(--window\), can tell more$/);
    expect(rows.map(({ loss }) => loss)).toContainEqual(expect.stringMatching(/^loses \d.* \(loss from −\d/));
  });

  test('what is fastest by itself is said to be that', () => {
    const { rows } = playOut(question, { speed: ({ size }) => 100 * size }).conclusion;
    expect(rows.map(({ loss }) => loss)).toEqual([...Array.from({ length: 4 }, () => expect.stringMatching(/^loses/)), 'the fastest']);
  });

  test('a law whose highest point nobody tried says nothing', () => {
    const six: Question = { ...question, sizes: [1, 2, 4, 8, 16, 32] };
    expect(playOut(six, { speed: law(0.01) }).conclusion.says.join()).toContain('Universal Scalability Law: highest at 9.5 connections');
    expect(playOut(six, { speed: law(0.000_1) }).conclusion.says.join()).toContain('highest point lies outside the sizes that were tried');
  });

  test('a size at which requests fail is not recommended', () => {
    const { played } = playOut(question, { speed: risingTo(4) });
    expect(nextStep(played.filter(({ stage }) => stage === 'sweep').map(failing), question)).toMatchObject({
      kind: 'refusal',
      reason: 'errors',
    });
  });
});

test('every round holds each size once, in another order, and every second round is the one before turned round', () => {
  const { played } = playOut(question, { speed: risingTo(4) });
  const orders = [0, 1, 2, 3].map((round) =>
    played.filter((one) => one.stage === 'sweep' && one.round === round).map(({ setting }) => setting.size),
  );
  expect(orders.map((order) => order.toSorted((a, b) => a - b))).toEqual(orders.map(() => question.sizes));
  expect(orders[1]).toEqual(orders[0]?.toReversed());
  expect(orders[3]).toEqual(orders[2]?.toReversed());
  expect(orders[2]).not.toEqual(orders[0]);
});

test.each([
  [{ ...nothingSeen, active: 6, waitingForLock: 5 }, /^locks: 5\.0 of 6\.0 busy sessions/],
  [{ ...busy, workerCpu: 0.95 }, /^the API's own code: each worker used 95 % of a core/],
  [busy, /^this machine's CPU: 97 % in use \(API 50 %, database 30 %, load test 15 %, others 2 %\)/],
  [nothingSeen, /^neither CPU nor locks/],
] as const)('what a service is short of is named: %o', (shortage, says) => {
  const window = { setting: { size: 4, overflow: 0 }, perSecond: 1, p95Ms: 1, errorShare: 0, clientUse: 0, shortage };
  expect(limitedBy([window, window])).toMatch(says);
});
