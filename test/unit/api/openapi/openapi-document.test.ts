import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openApiDocument } from '#api/openapi/openapi-document.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';

const routes = createRoutes({} as ApiServices);
const document = openApiDocument(routes) as any;
/** What an operation answers with a status, wherever it stands. */
const response = (operation: any, status: number): any =>
  document.components.responses[operation.responses[status].$ref.replace('#/components/responses/', '')];
const parameter = (operation: any, name: string): any => operation.parameters.find((one: any) => one.name === name);

test('the document is valid OpenAPI 3.1, with an operation of its own name for each route and its PATCH', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  const operations = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((path) => Object.values(path));
  const patched = routes.filter(({ method }) => method === 'PUT').length;
  expect(operations).toHaveLength(routes.length + patched);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
});

test('what a schema reads from text is told as the number it stands for, with its bounds and default', () => {
  const { get } = document.paths['/products/{id}'];
  expect(parameter(get, 'id')).toMatchObject({ in: 'path', required: true, schema: { type: 'integer', minimum: 1 } });
  expect(parameter(document.paths['/products'].get, 'limit')).toMatchObject({
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
  });
  expect(parameter(document.paths['/products/filter'].get, 'sort_by').schema.enum).toContain('price_desc');
});

test('amounts are told as the decimals that clients send, not as the cents inside', () => {
  const { schema } = document.paths['/products'].post.requestBody.content['application/json'];
  expect(schema.properties.price).toMatchObject({ type: 'number', minimum: 0.01 });
  expect(schema.required.toSorted()).toEqual(['name', 'price']);
});

test('each route tells who may call it, its answer, its headers and each code it may refuse with', () => {
  const { post } = document.paths['/orders'];
  expect(post.security).toEqual([{ token: [] }, { key: [] }]);
  expect(document.paths['/products'].get.security).toEqual([{}]);
  expect(Object.keys(post.responses['201'].headers).toSorted()).toEqual(['ETag', 'Idempotency-Replayed', 'Location']);
  expect(parameter(post, 'Idempotency-Key')).toMatchObject({ in: 'header' });
  const codes = response(post, 409).content['application/problem+json'].schema.allOf[1].properties.code.enum;
  expect(codes).toEqual(expect.arrayContaining(['insufficient_stock', 'price_mismatch', 'idempotency_in_flight']));
  expect(response(document.paths['/orders/{id}'].put, 409).description).toContain('`illegal_transition`');
  expect(document.paths['/categories/{id}'].delete.responses['204'].content).toBeUndefined();
});
