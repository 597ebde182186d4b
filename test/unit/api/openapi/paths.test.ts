import { expect, test } from 'vitest';
import { emitTypes } from '#api/openapi/emit-types.ts';
import { openApiDocument } from '#api/openapi/openapi-document.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';

/** `npm run docs` writes it, by updating this snapshot. */
test('the types of the API are those of its document', async () => {
  const text = emitTypes(openApiDocument(createRoutes({} as ApiServices)));
  await expect(text).toMatchFileSnapshot('../../../../api/openapi/paths.ts');
});
