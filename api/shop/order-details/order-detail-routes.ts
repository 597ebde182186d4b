import { onlyClient } from '../../auth/principal.ts';
import { read, write, type Route } from '../../http/route.ts';
import { asWritten, listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage } from '../pages.ts';
import { orderDetailChanges, orderDetailInput, orderDetailQuery, orderDetailView } from './order-detail-schema.ts';
import { addOrderDetail, deleteOrderDetail, readOrderDetail, readOrderDetails, updateOrderDetail } from './order-details.ts';

export const orderDetailRoutes: readonly Route[] = [
  read({
    path: '/order_details',
    access: ['customer', 'operator'],
    summary: 'List lines of orders; a customer sees only its own',
    query: orderDetailQuery,
    answers: { 200: listOf(orderDetailView) },
    next: nextPage,
    handler: (db, { query: { order_id: orderId, ...page }, principal }) =>
      readOrderDetails(db, page, { only: onlyClient(principal), orderId }),
  }),
  read({
    path: '/order_details/:id',
    access: ['customer', 'operator'],
    summary: 'Read a line of an order',
    params: idParams,
    answers: { 200: asWritten(orderDetailView) },
    errors: ['not_found'],
    handler: (db, { params, principal }) => readOrderDetail(db, params.id, onlyClient(principal)),
  }),
  write({
    method: 'POST',
    path: '/order_details',
    write: 'once',
    access: ['customer', 'operator'],
    summary: 'Add a line to a pending order',
    body: orderDetailInput,
    answers: { 201: orderDetailView },
    errors: ['not_found', 'illegal_transition', 'insufficient_stock', 'price_mismatch'],
    handler: (tx, { body, principal }) => addOrderDetail(tx, body, principal),
  }),
  write({
    method: 'PUT',
    path: '/order_details/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Change how many pieces a line has',
    params: idParams,
    body: orderDetailChanges,
    answers: { 200: orderDetailView },
    errors: ['not_found', 'version_mismatch', 'illegal_transition', 'insufficient_stock', 'price_mismatch'],
    handler: (tx, { params, body, principal, ifMatch }) => updateOrderDetail(tx, body, { id: params.id, principal, ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/order_details/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Take a line out of a pending order, and return its stock',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch', 'illegal_transition'],
    handler: (tx, { params, principal, ifMatch }) => deleteOrderDetail(tx, { id: params.id, principal, ifMatch }),
  }),
];
