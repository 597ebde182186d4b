import { createMeasurementFile } from '../measurement/measurement-file.ts';
import { runPlan } from '../run-plan.ts';
import type { PlanChanges } from '../plans/phase-of.ts';
import type { Plan } from '../plans/plan.ts';
import type { Target } from '../targets/target.ts';
import type { Turn } from './schedule.ts';
import { windowDir, type SideName } from './windows.ts';

/** How either side is made ready; a stack of its own is made anew each time. */
export type Openers = Readonly<Record<SideName, () => Promise<Target>>>;

export type Rounds = {
  readonly plan: Plan;
  readonly changes: PlanChanges;
  readonly openers: Openers;
  readonly turns: readonly Turn[];
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Says what is being done now. */
  readonly onStep: (step: string) => void;
};

/**
 * Plays all rounds, one window after the other, and writes each as a measurement. Half-way both sides are stopped and opened
 * anew, the other one first, so that neither keeps what its place gave it.
 * @throws {ConfigError, UnreachableError, LocalStackError} what opening a side throws; the signal's reason when canceled
 */
export async function playRounds(rounds: Rounds): Promise<void> {
  const { turns, openers, onStep } = rounds;
  for (const isSwapped of [false, true]) {
    const half = [...turns.entries()].filter(([, turn]) => turn.isSwapped === isSwapped);
    if (half.length === 0) continue;
    onStep(isSwapped ? 'half-way: opening both sides anew, in each other’s place' : 'opening both sides');
    const sides = await openBoth(openers, isSwapped ? ['b', 'a'] : ['a', 'b']);
    try {
      for (const [round, { first }] of half) {
        for (const side of first === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const))
          await playWindow(rounds, round, side, sides[side]);
      }
    } finally {
      await Promise.all([sides.a.stop(), sides.b.stop()]);
    }
  }
}

async function openBoth(openers: Openers, [one, other]: readonly [SideName, SideName]): Promise<Record<SideName, Target>> {
  const first = await openers[one]();
  try {
    const second = await openers[other]();
    return one === 'a' ? { a: first, b: second } : { a: second, b: first };
  } catch (err) {
    await first.stop();
    throw err;
  }
}

async function playWindow(
  { plan, changes, turns, dir, signal, onStep }: Rounds,
  round: number,
  side: SideName,
  target: Target,
): Promise<void> {
  onStep(`round ${round + 1} of ${turns.length}, ${side.toUpperCase()}`);
  const file = createMeasurementFile(windowDir(dir, round, side));
  try {
    // Both windows of a round ask the same; those of other rounds something else.
    const hooks = { write: file.write, onStep: () => {}, onSecond: () => {}, signal };
    await runPlan(plan, { ...changes, seed: (changes.seed + round) % 2 ** 32 }, target, hooks);
  } finally {
    file.close();
  }
}
