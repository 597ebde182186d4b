import { bookRules } from '#loadtest/scenarios/shop/stored-books.ts';

/** What must hold whatever happens to the stack, by the name under which it is told: beside what the books of the shop must. */
export const rules = {
  ...bookRules,
  'same-answer': 'One Idempotency-Key, one answer, byte for byte',
  resolved: 'The key of a request tells in the end what became of it',
  'done-once': 'A cancellation or refund that was answered stands in its order once; one that was refused does not',
  'no-lost-update': 'A change made on the condition of a version is there, once, if it was answered, and not if it was refused',
  'made-once': 'One key that made an address, review, bill or line: one of it, as asked; it is there until it is taken out',
  'lines-moved': 'A line has taken as much out of stock as it has pieces, however often it was changed, and nothing once it is out',
  'bills-settled': 'An order makes what its lines make, and its bill says the same',
  'bill-numbers': 'A bill keeps the number the shop gave it, and no other has it',
  'one-account': 'One registration, one account',
  'session-over':
    'A refresh token that was changed, or whose session was ended, never works again; of a session that a password ended, no token',
  'nothing-left': 'Nothing personal is left of a deleted account',
  'own-data': 'Nobody is shown or answered what is another’s',
  'fresh-reads': 'No answer is older than what had been answered before it was asked for',
  'right-answers': 'No answer says what cannot be, and none is an internal error',
  'no-deadlock': 'No two transactions wait for each other',
} as const;

export type Rule = keyof typeof rules;

export type Violation = { readonly rule: Rule; readonly detail: string };
