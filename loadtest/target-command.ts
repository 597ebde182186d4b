import type { Progress } from '#lib/command-line.ts';
import type { CommandContext } from './command.ts';
import { openGivenTarget, openOwnTarget } from './targets/open-target.ts';
import { guardTarget } from './targets/target-guard.ts';
import type { Target } from './targets/target.ts';

/** The origin of the service that is meant; undefined for a stack of its own. @throws {UsageError} when no load may be sent there */
export const originOf = (asked: { readonly target: string | undefined; readonly allowedHosts: readonly string[] }): string | undefined =>
  asked.target === undefined ? undefined : guardTarget(asked.target, asked.allowedHosts);

/**
 * Works on a target that runs already, or on a throw-away stack that is started before and stopped after, whatever happens.
 * @param origin as passed by the target guard; undefined for a stack of its own
 * @throws whatever the work throws, and what opening the target throws
 */
export async function onTarget<T>(
  origin: string | undefined,
  { env, signal, isKeyNeeded }: Pick<CommandContext, 'env' | 'signal' | 'isKeyNeeded'>,
  progress: Progress,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  progress.update(origin === undefined ? 'starting a stack of its own…' : `looking at ${origin}…`);
  const target = origin === undefined ? await openOwnTarget(env, signal) : await openGivenTarget(origin, env, isKeyNeeded);
  try {
    return await work(target);
  } finally {
    if (target.kind === 'own') progress.update('stopping the stack…');
    await target.stop();
  }
}
