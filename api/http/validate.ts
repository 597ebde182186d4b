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
  throw new ApiError('validation_failed', `The ${nameOf[part]} cannot be accepted.`, { errors: fieldErrors(parsed.error.issues, part) });
}

const nameOf: Readonly<Record<InputPart, string>> = { body: 'body', query: 'query', params: 'path' };

/** Faults as pointers with messages that never repeat the value, which may be a password. Pure. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], part: InputPart): FieldError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key], part), message: 'is not known here' }));
    }
    return [{ pointer: pointerTo(issue.path, part), message: messageOf(issue) }];
  });
}

function messageOf(issue: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined');
  return isMissing ? 'is required' : issue.message;
}

/** RFC 6901. */
function pointerTo(path: readonly PropertyKey[], part: InputPart): string {
  if (part !== 'body') return path.map(String).join('.');
  return path.map((key) => `/${escapePointer(String(key))}`).join('');
}

/** One name as it stands in a JSON pointer. */
export const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
