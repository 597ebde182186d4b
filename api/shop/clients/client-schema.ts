import * as z from 'zod';
import { clientKey } from '../../auth/principal.ts';
import type { Constraints } from '../../db/constraints.ts';
import { integer, nullable, text, view } from '../../http/view.ts';
import { line } from '../fields.ts';

const name = line(1, 100).describe('Given name.');
const lastname = line(1, 100).describe('Family name.');
const email = z
  .string('must be text')
  .trim()
  .max(255, 'must have at most 255 characters')
  .pipe(z.email('must be an e-mail address'))
  .meta({ format: 'email' });
const telephone = z
  .string('must be text')
  .regex(/^\+?[1-9]\d{6,19}$/, 'must be 7 to 20 digits, with or without a leading +')
  .nullable();

const newPassword = z.string('must be text').min(8, 'must have at least 8 characters').max(128, 'must have at most 128 characters');
const givenPassword = z.string('must be text').min(1, 'must not be empty').max(128, 'must have at most 128 characters');

export const registrationInput = z.strictObject({
  name,
  lastname,
  email,
  telephone: telephone.default(null),
  password: newPassword.optional().describe('Required of everyone but a load test, whose clients get a token at once.'),
});

/** A field left out stays as it is; null clears the telephone. */
export const clientChanges = z.strictObject({
  name: name.optional(),
  lastname: lastname.optional(),
  email: email.optional(),
  telephone: telephone.optional(),
  current_password: givenPassword.optional().describe('Required of a customer whose e-mail address changes.'),
});

export const loginInput = z.strictObject({
  email: z.string('must be text').trim().min(1, 'must not be empty').max(255, 'must have at most 255 characters'),
  password: givenPassword,
});

export const passwordChange = z.strictObject({ current_password: givenPassword, new_password: newPassword });
export const refreshInput = z.strictObject({
  refresh_token: z.string('must be text').min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
});

export const resetRequest = z.strictObject({ email: loginInput.shape.email });
export const resetInput = z.strictObject({
  reset_token: z.string('must be text').min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
  new_password: newPassword,
});

export type RegistrationInput = z.output<typeof registrationInput>;
export type ClientChanges = z.output<typeof clientChanges>;
export type LoginInput = z.output<typeof loginInput>;

/** What the public may know of a client: neither password nor hash. */
export const clientView = view(
  [integer('id_key'), text('name'), text('lastname'), text('email'), nullable(text('telephone')), integer('version')],
  { ownerOf: ({ id_key }) => clientKey(id_key) },
);

/** Named as in RFC 6749 §5.1. */
const tokenFields = [text('access_token'), text('token_type'), integer('expires_in')] as const;

export const tokenView = view(tokenFields);
/** Whose password was changed. */
export const accountView = view([integer('id_key'), text('name')]);
export const sessionView = view([integer('id_key'), text('name'), ...tokenFields, text('refresh_token')]);

export const clientConstraints: Constraints = {
  clients_email_unique: { code: 'duplicate', detail: 'This e-mail address has an account already.', fault: ['/email', 'is taken'] },
};
