import { ApiError } from '../errors.ts';

/**
 * A query as an object of texts, for a schema to read.
 * @throws validation_failed for a parameter given twice, and for NUL characters, which PostgreSQL cannot store
 */
export function readQuery(search: string): Readonly<Record<string, string>> {
  if (search === '') return {};
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (query.has(name)) throw refused(name, 'is given more than once');
    if (value.includes('\0') || name.includes('\0')) throw refused(name.replaceAll('\0', ''), 'must not contain NUL characters');
    query.set(name, value);
  }
  return Object.fromEntries(query);
}

/** Refuses any parameter: for routes without a query. */
export function refuseQuery(search: string): void {
  const names = Object.keys(readQuery(search));
  if (names.length > 0) {
    throw new ApiError('validation_failed', 'This route takes no query.', {
      errors: names.map((pointer) => ({ pointer, message: 'is not known here' })),
    });
  }
}

function refused(pointer: string, message: string): ApiError {
  return new ApiError('validation_failed', 'The query cannot be accepted.', { errors: [{ pointer, message }] });
}
