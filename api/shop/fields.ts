import * as z from 'zod';

/** Fields that several resources have. */

/** One line of text, of `min` to `max` characters without the space around it. */
export const line = (min: number, max: number) =>
  z
    .string('must be text')
    .trim()
    .min(min, min === 1 ? 'must not be empty' : `must have at least ${min} characters`)
    .max(max, `must have at most ${max} characters`)
    .refine(isPlain, 'must not contain control characters, nor such as turn the direction of text');

/** The same of several lines. */
export const lines = (max: number) =>
  z
    .string('must be text')
    .trim()
    .max(max, `must have at most ${max} characters`)
    .refine(
      (given) => isPlain(given.replaceAll(/[\r\n\t]/g, ' ')),
      'must not contain control characters, nor such as turn the direction of text',
    );

/** What shows otherwise than it is stored could pass for another name. @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters */
const isPlain = (given: string): boolean => given.isWellFormed() && !/[\p{Cc}\p{Bidi_Control}]/u.test(given);

/** Digits, as forms send them, count as the number that they write. */
export const fromDigits = (given: unknown): unknown => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given);

/** A whole number in a body. */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(fromDigits, z.int('must be a whole number').min(min, `must be ${min} or more`).max(max, `must be ${max} or less`));

/** An id inside a body. */
export const id = wholeNumber(1, Number.MAX_SAFE_INTEGER);

const idMessage = 'must be a whole number from 1';

/** A whole number inside a path or a query, where everything is text. */
export const wholeNumberText = (min: number, max: number, message: string) =>
  z
    .string()
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
    .pipe(z.int(message).min(min, message).max(max, message));

export const idText = wholeNumberText(1, Number.MAX_SAFE_INTEGER, idMessage);

/** Path parameters of routes that address one thing. */
export const idParams = z.strictObject({ id: idText });
