import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { copySource, replaceOnce } from '../zoo/copy-source.ts';
import type { Mutant } from './mutants.ts';
import { mostStretched, playRound, type RoundResult } from './round.ts';
import { faultKinds, scheduleOf, type FaultKind } from './schedule.ts';
import { openStack } from './stack.ts';

/** Rounds on stacks of their own: of the shop as it is, and of copies with one thing wrong. */

export type PlayOptions = {
  readonly seed: number;
  readonly durationMs: number;
  /** See RoundOptions. */
  readonly leastRequests?: number;
  /** Faults. */
  readonly perMinute: number;
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Folder of the checkout the API runs from; default: this one. */
  readonly root?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export async function playOnOwnStack({
  seed,
  durationMs,
  perMinute,
  kinds,
  root = resolve('.'),
  ...rest
}: PlayOptions): Promise<RoundResult> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-torture-'));
  try {
    rest.onProgress('starting…');
    const stack = await openStack({ dir, root });
    const longestMs = rest.leastRequests === undefined ? durationMs : mostStretched * durationMs;
    const faults = scheduleOf({ seed, durationMs: longestMs, perMinute, ...(kinds && { kinds }) });
    return await playRound(stack, { seed, durationMs, faults, ...rest }).finally(stack.close);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What became of one mutant. */
export type Caught = {
  readonly name: string;
  /** By a rule that says what is wrong with it. */
  readonly isNamed: boolean;
  /** Rules that were broken, the ones it was expected to break first. */
  readonly rules: readonly string[];
  /** The first thing found, in words. */
  readonly witness: string;
  readonly seconds: number;
};

/** A stack is back from these at once: a short play then has them all, and the mistake has time to show. */
const quickKinds = (Object.keys(faultKinds) as FaultKind[]).filter(
  (kind) => !['postgres-killed', 'primary-killed', 'back-end-killed'].includes(kind),
);
const mutantFaultsPerMinute = 120;
/** So that as much happens on a slow machine. */
const mutantRequests = 8_000;

export async function playMutant(mutant: Mutant, options: Pick<PlayOptions, 'seed' | 'signal' | 'onProgress'>): Promise<Caught> {
  const startedMs = performance.now();
  const { dir, remove } = await copySource();
  try {
    for (const edit of mutant.edits) await replaceOnce(dir, edit);
    const durationMs = (mutant.seconds ?? 12) * 1_000;
    const plan = {
      durationMs,
      leastRequests: mutantRequests,
      perMinute: mutantFaultsPerMinute,
      kinds: mutant.faults ?? quickKinds,
      root: dir,
    };
    const { violations } = await playOnOwnStack({ ...options, ...plan });
    const expected = violations.filter(({ rule }) => mutant.expects.includes(rule));
    const rules = [...new Set([...expected, ...violations].map(({ rule }) => rule))];
    const witness = (expected[0] ?? violations[0])?.detail ?? 'nothing was found';
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    return { name: mutant.name, isNamed: expected.length > 0, rules, witness, seconds };
  } finally {
    await remove();
  }
}
