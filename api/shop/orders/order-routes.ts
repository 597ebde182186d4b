import { runOnce } from '../../db/idempotent.ts';
import { inTransaction } from '../../db/transaction.ts';
import { idParams } from '../fields.ts';
import { route, type Route } from '../../http/route.ts';
import { idempotencyClaim } from '../../idempotency-claim.ts';
import { created, found, listed } from '../../http/replies.ts';
import type { ApiServices } from '../services.ts';
import { assertMayActFor, visibleClient } from '../../orders/order-access.ts';
import { orderInput, orderQuery } from './order-schema.ts';
import { placeOrder } from './place-order.ts';
import { presentOrder, presentOrderWithLines } from './present-order.ts';
import { readOrder, readOrders } from './read-orders.ts';

type Needs = Pick<ApiServices, 'pool' | 'idempotencyRequired'>;

export const orderRoutes = (services: Needs): Route[] => [...readRoutes(services), placeRoute(services)];

function readRoutes({ pool }: Needs): Route[] {
  return [
    route({
      method: 'GET',
      path: '/orders',
      access: ['customer', 'operator'],
      summary: 'List orders',
      query: orderQuery,
      handler: async ({ query, principal }) => {
        if (query.client_id !== undefined) assertMayActFor(principal, query.client_id);
        const ofClient = query.client_id ?? visibleClient(principal);
        return listed((await readOrders(pool, { skip: query.skip, limit: query.limit, ofClient })).map(presentOrder));
      },
    }),
    route({
      method: 'GET',
      path: '/orders/:id',
      access: ['customer', 'operator'],
      summary: 'Read an order with its lines',
      params: idParams,
      handler: async ({ params, principal }) => {
        const { lines, ...order } = await readOrder(pool, params.id, visibleClient(principal));
        return found(presentOrderWithLines(order, lines), order.version);
      },
    }),
  ];
}

function placeRoute({ pool, idempotencyRequired }: Needs): Route {
  return route({
    method: 'POST',
    path: '/orders',
    access: ['customer', 'operator'],
    limitClass: 'order_create',
    summary: 'Place an order',
    body: orderInput,
    handler: async (request) => {
      assertMayActFor(request.principal, request.body.client_id);
      const claim = idempotencyClaim(request, idempotencyRequired);
      return inTransaction(pool, (session) =>
        runOnce(session, claim, async () => {
          const { order, lines } = await placeOrder(session, request.body);
          return created(`orders/${order.id_key}`, order.version, presentOrderWithLines(order, lines));
        }),
      );
    },
  });
}
