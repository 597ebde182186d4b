import { assertMayActFor, clientToList, onlyClient, type Principal } from '../../auth/principal.ts';
import { read, write, type Route } from '../../http/route.ts';
import { asWritten, listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage } from '../pages.ts';
import { lockOf } from '../stock/stock.ts';
import { assertMayDiscount } from '../bills/bill-routes.ts';
import { cancelOrder, changeOrder, deleteOrder, refundOrder } from './change-order.ts';
import {
  orderChanges,
  orderConstraints,
  orderEventView,
  orderInput,
  orderQuery,
  orderView,
  orderWithLinesView,
  refundInput,
  type OrderInput,
} from './order-schema.ts';
import { orderAtOnce, placeOrder } from './place-order.ts';
import { readOrder, readOrderEvents, readOrders } from './read-orders.ts';

function assertMayOrder({ client_id, bill }: OrderInput, principal: Principal): void {
  assertMayActFor(principal, client_id, '/client_id');
  if (bill) assertMayDiscount(principal, bill.discount, '/bill/discount');
}

export const orderRoutes: readonly Route[] = [
  read({
    path: '/orders',
    access: ['customer', 'operator'],
    summary: 'List orders',
    query: orderQuery,
    answers: { 200: listOf(orderView) },
    next: nextPage,
    errors: ['not_found'],
    handler: async (db, { query: { client_id: clientId, ...page }, principal }) => readOrders(db, page, clientToList(principal, clientId)),
  }),
  read({
    path: '/orders/:id',
    access: ['customer', 'operator'],
    summary: 'Read an order with its lines',
    params: idParams,
    answers: { 200: asWritten(orderWithLinesView) },
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
    answers: { 201: asWritten(orderWithLinesView) },
    errors: ['not_found', 'insufficient_stock', 'price_mismatch', 'duplicate'],
    constraints: orderConstraints,
    foresee: ({ body }) => lockOf(body.lines.map(({ product_id }) => product_id)),
    atOnce: ({ body, principal }, keeping) => {
      assertMayOrder(body, principal);
      return orderAtOnce(body, keeping);
    },
    handler: (tx, { body, principal }) => {
      assertMayOrder(body, principal);
      return placeOrder(tx, body);
    },
  }),
  write({
    method: 'PUT',
    path: '/orders/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Change an order; a customer may only cancel it, or edit it while it is pending',
    params: idParams,
    body: orderChanges,
    answers: { 200: asWritten(orderWithLinesView) },
    errors: ['not_found', 'version_mismatch', 'illegal_transition', 'forbidden', 'duplicate'],
    constraints: orderConstraints,
    handler: (tx, { params, body, principal, ifMatch }) => changeOrder(tx, body, { id: params.id, principal, ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/orders/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Delete an order that is pending or canceled, and return its stock',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    handler: (tx, { params, principal, ifMatch }) => deleteOrder(tx, { id: params.id, principal, ifMatch }),
  }),
  write({
    method: 'POST',
    path: '/orders/:id/cancel',
    write: 'once',
    access: ['customer', 'operator'],
    summary: 'Cancel an order, and return its stock',
    params: idParams,
    answers: { 200: asWritten(orderWithLinesView) },
    errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    handler: (tx, { params, principal, ifMatch }) => cancelOrder(tx, { id: params.id, principal, ifMatch }),
  }),
  write({
    method: 'POST',
    path: '/orders/:id/refunds',
    write: 'once',
    access: ['operator'],
    summary: 'Take back pieces of an order',
    params: idParams,
    body: refundInput,
    answers: { 200: asWritten(orderWithLinesView) },
    errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    handler: (tx, { params, body, principal, ifMatch }) => refundOrder(tx, body, { id: params.id, principal, ifMatch }),
  }),
  read({
    path: '/orders/:id/events',
    access: ['customer', 'operator'],
    summary: 'What happened to an order since it was placed',
    params: idParams,
    answers: { 200: listOf(orderEventView) },
    errors: ['not_found'],
    handler: (db, { params, principal }) => readOrderEvents(db, params.id, onlyClient(principal)),
  }),
];
