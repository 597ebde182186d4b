import { createHash } from 'node:crypto';
import { ApiError } from '../errors.ts';
import type { IdempotencyRequest } from './route.ts';

/**
 * The value of Idempotency-Key: bare as many clients send it, or a quoted string as the IETF draft has it.
 * @throws idempotency_key_invalid unless it has 1 to 255 visible ASCII characters
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function parseIdempotencyKey(header: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())?.[1];
  const key = quoted === undefined ? header.trim() : quoted.replaceAll(/\\(["\\])/g, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ApiError('idempotency_key_invalid', 'Idempotency-Key must have 1 to 255 visible ASCII characters.', {
      errors: [{ pointer: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }],
    });
  }
  return key;
}

/** The same request always has the same fingerprint, whatever the order of its members and its white space. */
export function fingerprintOf(method: string, canonicalPath: string, body: unknown): string {
  return createHash('sha256')
    .update(`${method} ${canonicalPath}\n${canonicalJson(body)}`)
    .digest('hex');
}

export function idempotencyOf(header: string | undefined, method: string, path: string, body: unknown): IdempotencyRequest | undefined {
  if (header === undefined) return undefined;
  return { key: parseIdempotencyKey(header), fingerprint: fingerprintOf(method, path, body) };
}

/** JSON with the members of every object in order of their names. The depth is bounded where the body is read. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
