import { assertMayActFor, clientToList, onlyClient, type Principal } from '../../auth/principal.ts';
import { ApiError } from '../../errors.ts';
import { read, write, type Route } from '../../http/route.ts';
import { listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage } from '../pages.ts';
import { billChanges, billConstraints, billInput, billQuery, billView, type BillInput } from './bill-schema.ts';
import { billAtOnce, createBill, deleteBill, readBill, readBills, updateBill } from './bills.ts';

/** @throws validation_failed when somebody else than an operator gives a discount */
export function assertMayDiscount(principal: Principal, discountCents: number, pointer: string): void {
  if (discountCents === 0 || principal.kind === 'operator') return;
  throw new ApiError('validation_failed', 'Only the shop gives a discount.', { errors: [{ pointer, message: 'must be 0' }] });
}

function assertMayBill({ client_id, discount }: BillInput, principal: Principal): void {
  assertMayActFor(principal, client_id, '/client_id');
  assertMayDiscount(principal, discount, '/discount');
}

export const billRoutes: readonly Route[] = [
  read({
    path: '/bills',
    access: ['customer', 'operator'],
    summary: 'List bills; a customer sees only its own',
    query: billQuery,
    answers: { 200: listOf(billView) },
    next: nextPage,
    errors: ['not_found'],
    handler: async (db, { query: { client_id: clientId, ...page }, principal }) => readBills(db, page, clientToList(principal, clientId)),
  }),
  read({
    path: '/bills/:id',
    access: ['customer', 'operator'],
    summary: 'Read a bill',
    params: idParams,
    answers: { 200: billView },
    errors: ['not_found'],
    handler: (db, { params, principal }) => readBill(db, params.id, onlyClient(principal)),
  }),
  write({
    method: 'POST',
    path: '/bills',
    write: 'once',
    access: ['customer', 'operator'],
    summary: 'Make a bill, for an order to refer to',
    body: billInput,
    answers: { 201: billView },
    errors: ['not_found', 'duplicate'],
    constraints: billConstraints,
    atOnce: ({ body, principal }, keeping) => {
      assertMayBill(body, principal);
      return billAtOnce(body, keeping);
    },
    handler: async (tx, { body, principal }) => {
      assertMayBill(body, principal);
      return createBill(tx, body);
    },
  }),
  write({
    method: 'PUT',
    path: '/bills/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Change a bill',
    params: idParams,
    body: billChanges,
    answers: { 200: billView },
    errors: ['not_found', 'version_mismatch', 'duplicate'],
    constraints: billConstraints,
    handler: (tx, { params, body, ifMatch }) => updateBill(tx, body, { id: params.id, ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/bills/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Delete a bill that no order refers to',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch', 'in_use'],
    constraints: billConstraints,
    handler: (tx, { params, ifMatch }) => deleteBill(tx, { id: params.id, ifMatch }),
  }),
];
