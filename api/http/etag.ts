import { ApiError } from '../errors.ts';

/**
 * The entity tag of a thing is `"<version>-<shape>"` (see `view`): its version, and which release's JSON shows it; where that shows
 * what belongs to others too, `"<version>-<shape>-<content>"`. A proxy that compresses makes it weak (`W/`), as ours does; it still names the version, so conditions on it are not refused for that, as the
 * strong comparison of RFC 9110 §13.1.1 would. Those of lists are digests, and name no version.
 */

/**
 * The versions If-Match allows; undefined without the header and for `*`, which demands only existence. Tags of other
 * releases count too: what is guarded is the thing, not its JSON.
 * @throws version_mismatch when none of them can be the tag of a version
 */
export function versionsFromIfMatch(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const versions = header.split(',').flatMap((tag) => {
    const version = /^(?:W\/)?"(\d{1,15})(?:-[0-9a-f]{8}(?:-[0-9a-f]{16})?)?"$/.exec(tag.trim())?.[1];
    return version === undefined ? [] : [Number(version)];
  });
  if (versions.length === 0) throw new ApiError('version_mismatch', 'If-Match must name an entity tag as sent in ETag.');
  return versions;
}

/** Whether If-None-Match says that the caller already holds this representation; weak comparison, RFC 9110 §13.1.2. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = opaqueOf(etag);
  return ifNoneMatch.split(',').some((tag) => opaqueOf(tag.trim()) === opaque);
}

const opaqueOf = (tag: string): string => (tag.startsWith('W/') ? tag.slice(2) : tag);
