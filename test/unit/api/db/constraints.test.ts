import { describe, expect, test } from 'vitest';
import { explainConstraint } from '#api/db/constraints.ts';
import { categoryConstraints } from '#api/shop/categories/category-schema.ts';
import { clientConstraints } from '#api/shop/clients/client-schema.ts';
import { productConstraints } from '#api/shop/products/product-schema.ts';

const violation = (code: string, constraint: string): Error =>
  Object.assign(new Error(`duplicate key value violates unique constraint "${constraint}"`), {
    code,
    constraint,
    detail: 'Key (email)=(a@b.c)',
  });

describe('a broken constraint', () => {
  test.each([
    ['client', clientConstraints, '23505', 'clients_email_unique', 'duplicate', '/email'],
    ['category', categoryConstraints, '23505', 'categories_name_unique', 'duplicate', '/name'],
    ['category', categoryConstraints, '23503', 'products_category_fk', 'in_use', undefined],
    ['product', productConstraints, '23503', 'products_category_fk', 'not_found', '/category_id'],
    ['product', productConstraints, '23503', 'order_details_product_fk', 'in_use', undefined],
  ] as const)('to a %s: %s of %s is %s', (_resource, known, code, constraint, expected, pointer) => {
    const cause = violation(code, constraint);
    const explained = explainConstraint(known, cause) as { message: string };
    expect(explained).toMatchObject({ code: expected, cause, errors: pointer === undefined ? [] : [{ pointer }] });
    expect(`${explained.message} ${JSON.stringify(explained)}`).not.toMatch(/a@b\.c|constraint|Key/);
  });

  test('is found inside what Objection throws', () => {
    const wrapped = Object.assign(new Error('wrapped'), { nativeError: violation('23505', 'clients_email_unique') });
    expect(explainConstraint(clientConstraints, wrapped)).toMatchObject({ code: 'duplicate' });
  });

  test('that nobody expected stays the error it is', () => {
    const errors = [violation('23505', 'something_else'), violation('23505', 'toString'), new Error('x'), null];
    for (const err of errors) expect(explainConstraint(clientConstraints, err)).toBe(err);
  });
});
