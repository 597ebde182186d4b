import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { comparePlan } from '#loadtest/compare/compare-plan.ts';
import { slowed } from '#loadtest/compare/open-sides.ts';
import { playRounds } from '#loadtest/compare/play-rounds.ts';
import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { readPlayed } from '#loadtest/compare/windows.ts';
import { compare, type Comparison } from '#loadtest/judge/comparison.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
const signal = new AbortController().signal;
let stack: Target;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
  stack = await openOwnTarget({ PATH: process.env['PATH'], API_WORKERS: '1', RATE_LIMIT_CALLS: '100000' }, signal);
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
async function compareWithItself(name: string, share: number): Promise<Comparison> {
  const turns = scheduleOf(12, 1);
  const openers = { a: slowed(open, 0), b: slowed(open, share) };
  const changes = { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] };
  await playRounds({ plan, changes, openers, turns, dir: join(dir, name), signal, onStep: () => {} });
  const { rounds, circumstances } = await readPlayed(join(dir, name), turns, []);
  return compare(rounds, asked, circumstances);
}

test('a stack beside itself is no FAIL', { timeout: 180_000 }, async () => {
  const { verdict, reasons } = await compareWithItself('equal', 0);
  expect(reasons.join('\n')).not.toMatch(/: worse$|wrong|lost/m);
  expect(verdict).not.toBe('FAIL');
});

test('the same stack with every answer three times as late is a FAIL that names the latency', { timeout: 180_000 }, async () => {
  const { verdict, reasons } = await compareWithItself('slower', 2);
  expect(verdict).toBe('FAIL');
  expect(reasons).toContainEqual(expect.stringMatching(/^p50 in all .* → .*: worse$/));
});
