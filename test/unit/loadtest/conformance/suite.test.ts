import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Declared, Recording } from '#loadtest/conformance/exchange.ts';
import type { Means } from '#loadtest/conformance/matter.ts';
import { checks, judgeRecording, judgeTries, partsToRepeat, playSuite } from '#loadtest/conformance/suite.ts';
import type { Outcome } from '#loadtest/judge/outcome.ts';
import { flaws } from './flawed-limiters.ts';
import { fixedWindows } from './other-limiters.ts';
import { exact, simulate, type Parts } from './simulated-api.ts';

const usual: Declared = { limit: 10, periodMs: 2_000, windows: 'sliding', identity: 'header:X-Client', method: 'GET', path: '/things' };
const byAddress: Partial<Means> = { trustedProxy: '127.0.0.1' };

async function play(parts: Parts, declared: Declared, seed: number, means: Partial<Means> = {}, late = 0): Promise<Recording> {
  const { port, time, ...simulation } = simulate(parts, declared, seed, means, late);
  return time.run(playSuite({ declared, means: simulation.means, port }));
}

const outcomesOf = (recording: Recording): Readonly<Record<string, Outcome>> =>
  Object.fromEntries(judgeRecording(recording).map(({ check, finding }) => [check.id, finding.outcome]));

const idsOf = (recording: Recording, wanted: Outcome): string[] =>
  Object.entries(outcomesOf(recording)).flatMap(([id, outcome]) => (outcome === wanted ? [id] : []));

const seeds = fc.integer({ min: 1, max: 2 ** 31 });
const settings = fc.record({
  limit: fc.integer({ min: 3, max: 25 }),
  periodMs: fc.integer({ min: 2, max: 90 }).map((seconds) => seconds * 1_000),
});

test('there are more than 25 checks, each with a name of its own, a clause and something to play for it', () => {
  expect(checks.length).toBeGreaterThan(25);
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { clause, stages } of checks) expect([clause.length, stages.length]).not.toContain(0);
});

test('every check has a defect that it names', () => {
  const named = Object.values(flaws).map((flaw) => flaw.named);
  expect(checks.map(({ id }) => id).filter((id) => !named.includes(id))).toEqual([]);
});

describe('an exact limiter', () => {
  test('passes every check, whatever its limit and period, and however long requests take', async () => {
    await fc.assert(
      fc.asyncProperty(settings, seeds, async (setting, seed) => {
        const outcomes = outcomesOf(await play(exact, { ...usual, ...setting }, seed));
        expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== 'PASS')).toEqual(
          ['guesses-limited', 'forged-hop', 'ipv6-network', 'sibling-apart'].map((id) => [id, 'NOT CHECKED']),
        );
      }),
      { numRuns: 10 },
    );
  });

  test('that tells clients apart by their address passes, IPv6 included', async () => {
    await fc.assert(
      fc.asyncProperty(settings, seeds, async (setting, seed) => {
        const recording = await play(exact, { ...usual, ...setting, identity: 'ip' }, seed, byAddress);
        expect(idsOf(recording, 'NOT CHECKED')).toEqual(['clients-share-no-address', 'field-name-case', 'sibling-apart']);
        expect(outcomesOf(recording)).toMatchObject({ 'ipv6-network': 'PASS' });
        expect([...idsOf(recording, 'FAIL'), ...idsOf(recording, 'INVALID')]).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  test.each(['first', 'clock'] as const)('of fixed windows (%s) passes where that is declared', async (begin) => {
    await fc.assert(
      fc.asyncProperty(settings, seeds, async (setting, seed) => {
        const recording = await play({ ...exact, limiter: fixedWindows(begin) }, { ...usual, ...setting, windows: 'fixed' }, seed);
        expect(idsOf(recording, 'FAIL')).toEqual([]);
      }),
      { numRuns: 5 },
    );
  });

  test('is never blamed for what a late client makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 5, max: 3_000 }), async (seed, late) => {
        const recording = await play(exact, usual, seed, {}, late);
        expect(idsOf(recording, 'FAIL')).toEqual([]);
      }),
      // The example: it wakes up so late, so often, that most of its quota goes unused.
      { numRuns: 25, examples: [[101_886_290, 2_971]] },
    );
  });

  test('refuses none of 10,000 requests of obedient clients, who use at least 98 % of their quota', async () => {
    const recording = await play(exact, usual, 21, { obedientRequests: 10_000 });
    const says = judgeRecording(recording).flatMap(({ check, finding }) =>
      check.id.startsWith('obedient') ? [`${finding.outcome} ${finding.says}`] : [],
    );
    expect(says).toEqual([
      'PASS 10000 requests, none refused',
      expect.stringMatching(/^PASS 9[89]\.\d % of the quota used by 50 clients$|^PASS 100\.0 %/),
    ]);
  });

  test('with a single client to ask as is judged as far as one client goes', async () => {
    const recording = await play(exact, usual, 5, { clients: 1 });
    expect(idsOf(recording, 'NOT CHECKED')).toEqual(expect.arrayContaining(['clients-isolated', 'denial-cheap', 'store-back-exact']));
    expect(idsOf(recording, 'FAIL')).toEqual([]);
    expect(idsOf(recording, 'PASS')).toEqual(expect.arrayContaining(['count-at-once', 'boundary', 'retry-after-honest', 'refusals-free']));
  });
});

describe('a limiter', () => {
  test.each(Object.entries(flaws))(
    'with the defect "%s" is found out, and the defect named',
    async (_, { named, parts, declared: changed }) => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          const declared = { ...usual, ...changed };
          const recording = await play({ ...exact, ...parts }, declared, seed, declared.identity === 'ip' ? byAddress : {});
          const judged = judgeRecording(recording).find(({ check }) => check.id === named);
          expect(judged?.finding).toMatchObject({ outcome: 'FAIL' });
          expect(judged?.finding.witnesses.length).toBeGreaterThan(0);
        }),
        { numRuns: 2 },
      );
    },
  );

  test.each(['one more than the limit', 'fixed windows from the first request', 'Retry-After is rounded down'])(
    'with the defect "%s" never passes because the client is late',
    async (name) => {
      const { named, parts } = flaws[name] ?? { named: '', parts: {} };
      await fc.assert(
        fc.asyncProperty(seeds, fc.integer({ min: 5, max: 3_000 }), async (seed, late) => {
          expect(outcomesOf(await play({ ...exact, ...parts }, usual, seed, {}, late))[named]).not.toBe('PASS');
        }),
        { numRuns: 15 },
      );
    },
  );

  test('that does not believe X-Forwarded-For from where it was said to is not blamed for its IPv6 networks', async () => {
    const deaf: Parts = { ...exact, keyOf: ({ client, variation }) => variation.from ?? `client ${client}` };
    const recording = await play(deaf, { ...usual, identity: 'ip' }, 3, byAddress);
    expect(outcomesOf(recording)).toMatchObject({ 'ipv6-network': 'NOT CHECKED', 'forged-address': 'PASS' });
  });

  test('that tells nothing is not blamed for what it may do without', async () => {
    const silent: Parts = { ...exact, fields: () => ({}), refusal: () => ({ status: 429, body: 'Too many requests', type: 'text/plain' }) };
    const recording = await play(silent, usual, 9);
    expect(idsOf(recording, 'FAIL')).toEqual([]);
    expect(idsOf(recording, 'NOT SUPPORTED')).toEqual(
      expect.arrayContaining(['policy-list', 'limit-list', 'remaining-steps', 'retry-after-sent', 'problem-type', 'obedient-uses-quota']),
    );
  });
});

describe('another try', () => {
  test('is made only of the parts in which the client was late, and proves what the first could not', async () => {
    const first = await play(exact, usual, 11, {}, 2_900);
    const parts = partsToRepeat(judgeTries([first]));
    expect(parts.size).toBeGreaterThan(0);
    const { port, means, time } = simulate(exact, usual, 12);
    const second = await time.run(playSuite({ declared: usual, means, port, only: parts }));
    expect(new Set(second.exchanges.map(({ stage }) => stage))).toEqual(new Set(['look', ...parts]));
    const proved = judgeTries([first, second]);
    expect(partsToRepeat(proved).size).toBe(0);
  });

  test('takes back no FAIL', async () => {
    const failed = await play({ ...exact, limiter: fixedWindows('first') }, usual, 13);
    const outcomes = judgeTries([failed, await play(exact, usual, 14)]).map(({ check, finding }) => `${check.id} ${finding.outcome}`);
    expect(outcomes).toContain('boundary FAIL');
    expect(outcomes).toContain('count-at-once PASS');
  });
});
