import { raw } from 'objection';
import { ApiError } from '../errors.ts';

/** Things that carry a version, raised by each change, so that a change can say which state it was decided on. */

/**
 * Lets a change go on only when its object exists and is at a version the caller allows. Pure.
 * @param found the object as locked, if it exists
 * @param ifMatch the versions allowed; undefined allows any
 * @throws not_found
 * @throws version_mismatch
 */
export function assertVersion<T extends { readonly version: number }>(
  found: T | undefined,
  ifMatch: readonly number[] | undefined,
  what: string,
): asserts found is T {
  if (!found) throw new ApiError('not_found', `The ${what} does not exist.`);
  if (ifMatch === undefined || ifMatch.includes(found.version)) return;
  throw new ApiError('version_mismatch', `The ${what} has been changed; it is at version ${found.version} now.`, {
    extensions: { current_version: found.version },
  });
}

/** A change of columns for a model's `patch`, with the version raised. */
export const raised = (changes: object): object => ({ ...changes, version: raw('version + 1'), updated_at: raw('now()') });
