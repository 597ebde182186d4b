import { assertMayActFor, onlyClient } from '../../auth/principal.ts';
import { read, write, type Route } from '../../http/route.ts';
import { listOf } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { lockOf } from '../stock/stock.ts';
import { orderInput, orderQuery, orderView, orderWithLinesView } from './order-schema.ts';
import { placeOrder } from './place-order.ts';
import { readOrder, readOrders } from './read-orders.ts';

export const orderRoutes: readonly Route[] = [
  read({
    path: '/orders',
    access: ['customer', 'operator'],
    summary: 'List orders',
    query: orderQuery,
    answers: { 200: listOf(orderView) },
    errors: ['not_found'],
    handler: async (db, { query: { client_id: clientId, ...page }, principal }) => {
      if (clientId !== undefined) assertMayActFor(principal, clientId, 'client_id');
      return readOrders(db, page, clientId ?? onlyClient(principal));
    },
  }),
  read({
    path: '/orders/:id',
    access: ['customer', 'operator'],
    summary: 'Read an order with its lines',
    params: idParams,
    answers: { 200: orderWithLinesView },
    errors: ['not_found'],
    handler: (db, { params, principal }) => readOrder(db, params.id, onlyClient(principal)),
  }),
  write({
    method: 'POST',
    path: '/orders',
    write: 'once',
    access: ['customer', 'operator'],
    limitClass: 'order_create',
    summary: 'Place an order',
    body: orderInput,
    answers: { 201: orderWithLinesView },
    errors: ['not_found', 'insufficient_stock', 'price_mismatch'],
    foresee: ({ body }) => lockOf(body.lines.map(({ product_id }) => product_id)),
    handler: async (tx, { body, principal }) => {
      assertMayActFor(principal, body.client_id, '/client_id');
      return placeOrder(tx, body);
    },
  }),
];
