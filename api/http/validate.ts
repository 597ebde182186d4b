import type * as z from 'zod';
import { ApiError, type FieldError } from '../errors.ts';

/** Which part of a request a schema reads; body faults are JSON pointers, others the parameter's name. */
export type InputPart = 'body' | 'query' | 'params';

/**
 * The input as the schema parses it. Without a schema nothing may be given.
 * @throws validation_failed with every fault at once
 */
export function validateInput(schema: z.ZodType | undefined, input: unknown, part: InputPart): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new ApiError('validation_failed', `The ${nameOf[part]} cannot be accepted.`, {
    errors: fieldErrors(parsed.error.issues, input, part),
  });
}

const nameOf: Readonly<Record<InputPart, string>> = { body: 'body', query: 'query', params: 'path' };

/** Faults as pointers with messages that never repeat the value, which may be a password. Pure. */
function fieldErrors(issues: readonly z.core.$ZodIssue[], input: unknown, part: InputPart): FieldError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key], part), message: 'is not known here' }));
    }
    const message = isMissing(input, issue.path) ? 'is required' : issue.message;
    return [{ pointer: pointerTo(issue.path, part), message }];
  });
}

/** Whether the member that a fault is about was not sent at all. */
function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  let value = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return path.length > 0 && value === undefined;
}

/** RFC 6901. */
function pointerTo(path: readonly PropertyKey[], part: InputPart): string {
  if (part !== 'body') return path.map(String).join('.');
  return path.map((key) => `/${escapePointer(String(key))}`).join('');
}

/** One name as it stands in a JSON pointer. */
export const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
