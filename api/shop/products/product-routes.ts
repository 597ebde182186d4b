import { runOnce } from '../../db/idempotent.ts';
import { inKnexTransaction } from '../../db/transaction.ts';
import { idParams, pageQuery } from '../fields.ts';
import { route, type Route } from '../../http/route.ts';
import { idempotencyClaim } from '../../idempotency-claim.ts';
import { created, deleted, found, listed } from '../../http/replies.ts';
import type { ApiServices } from '../services.ts';
import { createProduct } from './create-product.ts';
import { deleteProduct } from './delete-product.ts';
import { filterProducts } from './filter-products.ts';
import { presentProduct } from './present-product.ts';
import { productChanges, productFilter, productInput } from './product-schema.ts';
import { readProduct, readProducts } from './read-products.ts';
import { updateProduct } from './update-product.ts';

type Needs = Pick<ApiServices, 'pool' | 'knex' | 'idempotencyRequired'>;

export const productRoutes = (services: Needs): Route[] => [...readRoutes(services), ...writeRoutes(services)];

function readRoutes({ pool, knex }: Needs): Route[] {
  return [
    route({
      method: 'GET',
      path: '/products',
      access: 'public',
      summary: 'List products',
      query: pageQuery,
      handler: async ({ query }) => listed((await readProducts(pool, query)).map(presentProduct)),
    }),
    route({
      method: 'GET',
      path: '/products/filter',
      access: 'public',
      limitClass: 'search',
      summary: 'Find products',
      query: productFilter,
      handler: async ({ query }) => listed((await filterProducts(knex, query)).map(presentProduct)),
    }),
    route({
      method: 'GET',
      path: '/products/:id',
      access: 'public',
      summary: 'Read a product',
      params: idParams,
      handler: async ({ params }) => {
        const product = await readProduct(pool, params.id);
        return found(presentProduct(product), product.version);
      },
    }),
  ];
}

function writeRoutes({ knex, idempotencyRequired }: Needs): Route[] {
  return [
    route({
      method: 'POST',
      path: '/products',
      access: ['operator'],
      summary: 'Create a product',
      body: productInput,
      handler: (request) =>
        inKnexTransaction(knex, (trx, session) =>
          runOnce(session, idempotencyClaim(request, idempotencyRequired), async () => {
            const product = await createProduct(trx, session, request.body);
            return created(`products/${product.id_key}`, product.version, presentProduct(product));
          }),
        ),
    }),
    route({
      method: 'PUT',
      path: '/products/:id',
      access: ['operator'],
      summary: 'Change a product',
      params: idParams,
      body: productChanges,
      handler: async ({ params, body, ifMatch }) => {
        const product = await updateProduct(knex, { id: params.id, changes: body, ifMatch });
        return found(presentProduct(product), product.version);
      },
    }),
    route({
      method: 'DELETE',
      path: '/products/:id',
      access: ['operator'],
      summary: 'Delete a product that was never sold',
      params: idParams,
      handler: async ({ params, ifMatch }) => {
        await deleteProduct(knex, params.id, ifMatch);
        return deleted;
      },
    }),
  ];
}
