import { appendFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { comparePlan } from '#loadtest/compare/compare-plan.ts';
import { openPlainTarget } from '#loadtest/compare/open-sides.ts';
import { playRounds } from '#loadtest/compare/play-rounds.ts';
import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { readPlayed, type Played } from '#loadtest/compare/windows.ts';
import { createRandom, randomInt } from '#loadtest/generate/random.ts';
import type { Round } from '#loadtest/judge/rounds.ts';
import type { Plan } from '#loadtest/plans/plan.ts';
import { startSeededServer } from './seeded-server.ts';

/** By how much B is slower, as a share. */
export const realEffects = [0, 0.1] as const;

/** One comparison of real servers by real generators. */
export type RealPlay = Played & { readonly slower: number; readonly seed: number };

export const real = { medianMs: 20, rounds: 24, windowMs: 1_000, warmUpMs: 500, users: 60 } as const;

/** Plays one in a throw-away folder: of the machine it runs on as much as of the judge. @throws the signal's reason when canceled */
export async function playReal(slower: number, seed: number, signal: AbortSignal, onStep: (step: string) => void): Promise<RealPlay> {
  const a = await startSeededServer({ medianMs: real.medianMs, seed });
  const b = await startSeededServer({ medianMs: real.medianMs * (1 + slower), seed: seed + 1 });
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
  try {
    const turns = scheduleOf(real.rounds, seed);
    const whole = comparePlan({ paths: ['/'], windowMs: real.windowMs });
    const plan: Plan = { ...whole, phases: [{ ...whole.phases[0], warmUpMs: real.warmUpMs }] };
    const changes = { users: real.users, thinkMs: [30, 50], durationMs: undefined, seed, mix: [] } as const;
    const openers = { a: () => openPlainTarget(a.origin), b: () => openPlainTarget(b.origin) };
    await playRounds({ plan, changes, openers, turns, dir, signal, onStep });
    return { slower, seed, ...(await readPlayed(dir, turns, [])) };
  } finally {
    await Promise.all([a.close(), b.close()]);
    await rm(dir, { recursive: true });
  }
}

/**
 * Plays comparisons of each kind in turn, as long as one more fits into the time by what the last one took, and keeps each in the file
 * as soon as it is over: a campaign that ends early goes on where it was.
 */
export async function playOn(kept: string, { forMs, signal, onStep }: Campaign): Promise<RealPlay[]> {
  await mkdir(dirname(kept), { recursive: true });
  const plays = await readKept(kept);
  const endsMs = performance.now() + forMs;
  for (let tookMs = 0; performance.now() + tookMs < endsMs && !signal.aborted;) {
    const startedMs = performance.now();
    const slower = realEffects[plays.length % realEffects.length] ?? 0;
    const nth = `comparison ${plays.length + 1}, B slower by ${100 * slower} %`;
    const play = await playReal(slower, plays.length + 1, signal, (step) => onStep(`${nth}: ${step}`));
    await appendFile(kept, `${JSON.stringify(play)}\n`);
    plays.push(play);
    tookMs = performance.now() - startedMs;
  }
  return plays;
}

export type Campaign = { readonly forMs: number; readonly signal: AbortSignal; readonly onStep: (step: string) => void };

/** What earlier campaigns played here; none where there is no file. */
async function readKept(kept: string): Promise<RealPlay[]> {
  const text = await readFile(kept, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RealPlay);
}

/**
 * Rounds of one comparison as it might have been, drawn from those of all that were played, some of them twice. Of equal sides A and B
 * change places by a coin: what is a difference there is chance. Pure.
 */
export function drawRounds(rounds: readonly Round[], isEqual: boolean, seed: number): Round[] {
  const random = createRandom(seed, 2);
  return [false, true].flatMap((isSwapped) => {
    const half = rounds.filter((round) => round.isSwapped === isSwapped);
    return Array.from({ length: half.length === 0 ? 0 : real.rounds / 2 }, () => {
      const round = half[randomInt(random, 0, half.length - 1)] as Round;
      return isEqual && random() < 0.5 ? { isSwapped, a: round.b, b: round.a } : round;
    });
  });
}
