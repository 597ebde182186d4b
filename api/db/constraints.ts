import { failureOf } from '#lib/postgres.ts';
import { ApiError, type ProblemCode } from '../errors.ts';

/** What it means, to the resource whose verb ran, that a constraint of the database is broken; by the constraint's name. */
export type Constraints = Readonly<Record<string, BrokenConstraint>>;

export type BrokenConstraint = {
  readonly code: ProblemCode;
  readonly detail: string;
  /** The member of the body at fault, as a JSON pointer, with what is wrong with it. */
  readonly fault?: readonly [pointer: string, message: string];
};

/**
 * The refusal for a broken constraint, which keeps the driver's error as its cause and shows nothing of it; anything else
 * comes back as it is. Pure.
 */
export function explainConstraint(known: Constraints, err: unknown): unknown {
  const name = failureOf(err)?.constraint;
  const broken = name !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
  if (!broken) return err;
  const { code, detail, fault } = broken;
  return new ApiError(code, detail, { errors: fault ? [{ pointer: fault[0], message: fault[1] }] : [] }, { cause: err });
}
