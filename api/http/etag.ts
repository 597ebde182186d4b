import { ApiError } from '../errors.ts';

/** The strong entity tag of a version. */
export const etagOf = (version: number): string => `"${version}"`;

/**
 * The version If-Match demands; undefined without the header and for `*`, which demands only existence.
 * @throws version_mismatch for anything that cannot be the tag of a version, since it then matches none
 */
export function versionFromIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (version === undefined) throw new ApiError('version_mismatch', 'If-Match must be one strong entity tag as sent in ETag, such as "3".');
  return Number(version);
}

/** Whether If-None-Match says that the caller already holds this representation; weak comparison, RFC 9110 §13.1.2. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}
