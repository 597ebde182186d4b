import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { comparePlan } from '#loadtest/compare/compare-plan.ts';
import { slowed } from '#loadtest/compare/open-sides.ts';
import { playRounds } from '#loadtest/compare/play-rounds.ts';
import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { readPlayed, type Played } from '#loadtest/compare/windows.ts';
import { compare } from '#loadtest/judge/comparison.ts';
import { inAll } from '#loadtest/judge/rounds.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
const signal = new AbortController().signal;
let stack: Target;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
  stack = await openOwnTarget({ PATH: process.env['PATH'], ...compiledOnce, API_WORKERS: '1', RATE_LIMIT_CALLS: '100000' }, signal);
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await rm(dir, { recursive: true });
});

const usual = comparePlan({});
/** Windows as short as they can be: users who never pause need no warm-up. */
const plan = { ...usual, phases: [{ ...usual.phases[0], load: { kind: 'saturating', users: 1 }, warmUpMs: 0, durationMs: 600 }] } as const;

const open = async (): Promise<Target> => ({ ...stack, stop: async () => {} });

/** A real stack beside itself, with B made slower by a share. */
async function playWithItself(name: string, share: number, count: number): Promise<Played> {
  const turns = scheduleOf(count, 1);
  const openers = { a: slowed(open, 0), b: slowed(open, share) };
  const changes = { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] };
  await playRounds({ plan, changes, openers, turns, dir: join(dir, name), signal, onStep: () => {} });
  return readPlayed(join(dir, name), turns, []);
}

test(
  'of a stack beside itself every window is a measure, nothing is answered wrongly, and it is no FAIL',
  { timeout: 120_000 },
  async () => {
    const { rounds, circumstances } = await playWithItself('equal', 0, 4);
    expect(circumstances).toEqual({ problems: [], defects: [] });
    for (const { a, b } of rounds) expect([a[inAll]?.errors, b[inAll]?.errors, (a[inAll]?.answers ?? 0) > 0]).toEqual([0, 0, true]);
    expect(rounds.map(({ isSwapped }) => isSwapped)).toEqual([false, false, true, true]);
    expect(compare(rounds, asked, circumstances).verdict).not.toBe('FAIL');
  },
);

// Late enough that a window of A in which the machine stood still has more answers all the same.
test('the same stack with every answer ten times as late is a FAIL that names what fell', { timeout: 180_000 }, async () => {
  const { rounds, circumstances } = await playWithItself('slower', 9, 12);
  const { verdict, reasons } = compare(rounds, asked, circumstances);
  expect(verdict).toBe('FAIL');
  // Of a user who never pauses there are always enough answers to tell how many there are.
  expect(reasons).toContainEqual(expect.stringMatching(/^throughput in all .* → .*: worse$/));
});
