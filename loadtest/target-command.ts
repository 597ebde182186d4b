import { createProgress, type Progress, type Verb } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { openGivenTarget, openOwnTarget } from './targets/open-target.ts';
import { guardTarget } from './targets/target-guard.ts';
import type { Target } from './targets/target.ts';

/** What only the door knows, given to every command. */
export type CommandContext = {
  readonly env: Environment;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly randomSeed: number;
  readonly now: Date;
  /** False where a target that runs already is asked for nothing that takes a load test key. */
  readonly isKeyNeeded?: false;
};

/** How a room offers its command to the door. */
export type MakeVerb = (context: CommandContext) => Verb;

/** The origin of the service that is meant; undefined for a stack of its own. @throws {UsageError} when no load may be sent there */
export const originOf = (asked: { readonly target: string | undefined; readonly allowedHosts: readonly string[] }): string | undefined =>
  asked.target === undefined ? undefined : guardTarget(asked.target, asked.allowedHosts);

/**
 * Works on a target that runs already, or on a throw-away stack that is started before and stopped after, whatever happens.
 * Canceled, it says so and ends 1.
 * @param origin as passed by the target guard; undefined for a stack of its own
 * @throws whatever the work throws, and what opening the target throws
 */
export async function onTarget(
  origin: string | undefined,
  { env, signal, isKeyNeeded }: CommandContext,
  work: (target: Target, progress: Progress) => Promise<ExitCode>,
): Promise<ExitCode> {
  const progress = createProgress();
  try {
    progress.update(origin === undefined ? 'starting a stack of its own…' : `looking at ${origin}…`);
    const target = origin === undefined ? await openOwnTarget(env, signal) : await openGivenTarget(origin, env, isKeyNeeded);
    try {
      return await work(target, progress);
    } finally {
      if (target.kind === 'own') progress.update('stopping the stack…');
      await target.stop();
    }
  } catch (err) {
    if (!signal.aborted) throw err;
    progress.done();
    process.stderr.write('canceled; nothing was judged\n');
    return EXIT.failed;
  } finally {
    progress.done();
  }
}
