import { ApiError } from '../errors.ts';

/**
 * Lets a change go on only when its object exists and is at the version the caller has seen. Pure.
 * @param found the object as locked, if it exists
 * @param ifMatch the version demanded; undefined demands none
 * @throws not_found
 * @throws version_mismatch
 */
export function assertVersion<T extends { readonly version: number }>(
  found: T | undefined,
  ifMatch: number | undefined,
  what: string,
): asserts found is T {
  if (!found) throw new ApiError('not_found', `The ${what} does not exist.`);
  if (ifMatch === undefined || ifMatch === found.version) return;
  throw new ApiError('version_mismatch', `The ${what} has been changed; it is at version ${found.version} now.`, {
    extensions: { current_version: found.version },
  });
}
