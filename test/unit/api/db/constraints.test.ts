import { describe, expect, test } from 'vitest';
import { explainConstraint } from '#api/db/constraints.ts';

const violation = (code: string, constraint: string): Error =>
  Object.assign(new Error(`duplicate key value violates unique constraint "${constraint}"`), {
    code,
    constraint,
    detail: 'Key (email)=(a@b.c)',
  });

describe('a broken constraint', () => {
  test.each([
    ['write', '23505', 'clients_email_unique', 'duplicate', '/email'],
    ['write', '23505', 'categories_name_unique', 'duplicate', '/name'],
    ['write', '23503', 'products_category_fk', 'not_found', '/category_id'],
    ['write', '23503', 'orders_client_fk', 'not_found', '/client_id'],
    ['delete', '23503', 'products_category_fk', 'in_use', undefined],
    ['delete', '23503', 'order_details_product_fk', 'in_use', undefined],
    ['write', '23514', 'products_stock_not_negative', 'insufficient_stock', undefined],
  ] as const)('on %s: %s of %s is %s', (intent, code, constraint, expected, pointer) => {
    const cause = violation(code, constraint);
    const explained = explainConstraint(intent, cause) as { message: string };
    expect(explained).toMatchObject({ code: expected, cause, errors: pointer === undefined ? [] : [{ pointer }] });
    expect(`${explained.message} ${JSON.stringify(explained)}`).not.toMatch(/a@b\.c|constraint|Key/);
  });

  test('is found inside what Objection throws', () => {
    const wrapped = Object.assign(new Error('wrapped'), { nativeError: violation('23505', 'clients_email_unique') });
    expect(explainConstraint('write', wrapped)).toMatchObject({ code: 'duplicate' });
  });

  test('that nobody expected stays the error it is', () => {
    const errors = [
      violation('23505', 'something_else'),
      violation('23505', 'toString'),
      violation('08006', 'clients_email_unique'),
      new Error('x'),
      null,
    ];
    for (const err of errors) expect(explainConstraint('write', err)).toBe(err);
  });
});
