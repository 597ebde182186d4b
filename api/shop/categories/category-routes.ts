import { runOnce } from '../../db/idempotent.ts';
import { inKnexTransaction } from '../../db/transaction.ts';
import { idParams, pageQuery } from '../fields.ts';
import { route, type Route } from '../../http/route.ts';
import { idempotencyClaim } from '../../idempotency-claim.ts';
import { created, deleted, found, listed } from '../../http/replies.ts';
import type { ApiServices } from '../services.ts';
import { categoryChanges, categoryInput } from './category-schema.ts';
import { createCategory } from './create-category.ts';
import { deleteCategory } from './delete-category.ts';
import { presentCategory } from './present-category.ts';
import { readCategories, readCategory } from './read-categories.ts';
import { updateCategory } from './update-category.ts';

type Needs = Pick<ApiServices, 'pool' | 'knex' | 'idempotencyRequired'>;

export const categoryRoutes = (services: Needs): Route[] => [...readRoutes(services), ...writeRoutes(services)];

function readRoutes({ pool }: Needs): Route[] {
  return [
    route({
      method: 'GET',
      path: '/categories',
      access: 'public',
      summary: 'List categories',
      query: pageQuery,
      handler: async ({ query }) => listed((await readCategories(pool, query)).map(presentCategory)),
    }),
    route({
      method: 'GET',
      path: '/categories/:id',
      access: 'public',
      summary: 'Read a category',
      params: idParams,
      handler: async ({ params }) => {
        const category = await readCategory(pool, params.id);
        return found(presentCategory(category), category.version);
      },
    }),
  ];
}

function writeRoutes({ knex, idempotencyRequired }: Needs): Route[] {
  return [
    route({
      method: 'POST',
      path: '/categories',
      access: ['operator'],
      summary: 'Create a category',
      body: categoryInput,
      handler: (request) =>
        inKnexTransaction(knex, (trx, session) =>
          runOnce(session, idempotencyClaim(request, idempotencyRequired), async () => {
            const category = await createCategory(trx, request.body);
            return created(`categories/${category.id_key}`, category.version, presentCategory(category));
          }),
        ),
    }),
    route({
      method: 'PUT',
      path: '/categories/:id',
      access: ['operator'],
      summary: 'Change a category',
      params: idParams,
      body: categoryChanges,
      handler: async ({ params, body, ifMatch }) => {
        const category = await updateCategory(knex, { id: params.id, changes: body, ifMatch });
        return found(presentCategory(category), category.version);
      },
    }),
    route({
      method: 'DELETE',
      path: '/categories/:id',
      access: ['operator'],
      summary: 'Delete a category without products',
      params: idParams,
      handler: async ({ params, ifMatch }) => {
        await deleteCategory(knex, params.id, ifMatch);
        return deleted;
      },
    }),
  ];
}
