import { assertMayActFor, clientToList, onlyClient } from '../../auth/principal.ts';
import { read, write, type Route } from '../../http/route.ts';
import { listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage } from '../pages.ts';
import { addressChanges, addressInput, addressQuery, addressView } from './address-schema.ts';
import { addressAtOnce, addressTogether, createAddress, deleteAddress, readAddress, readAddresses, updateAddress } from './addresses.ts';

export const addressRoutes: readonly Route[] = [
  read({
    path: '/addresses',
    access: ['customer', 'operator'],
    summary: 'List addresses; a customer sees only its own',
    query: addressQuery,
    answers: { 200: listOf(addressView) },
    next: nextPage,
    errors: ['not_found'],
    handler: async (db, { query: { client_id: clientId, ...page }, principal }) =>
      readAddresses(db, page, clientToList(principal, clientId)),
  }),
  read({
    path: '/addresses/:id',
    access: ['customer', 'operator'],
    summary: 'Read an address',
    params: idParams,
    answers: { 200: addressView },
    errors: ['not_found'],
    handler: (db, { params, principal }) => readAddress(db, params.id, onlyClient(principal)),
  }),
  write({
    method: 'POST',
    path: '/addresses',
    write: 'once',
    access: ['customer', 'operator'],
    summary: 'Add an address',
    body: addressInput,
    answers: { 201: addressView },
    errors: ['not_found'],
    // What is kept under another's key says whose it is, which the one statement does not write.
    atOnce: ({ body, principal }, keeping) => (onlyClient(principal) === body.client_id ? addressAtOnce(body, keeping) : undefined),
    handler: async (tx, { body, principal }) => {
      assertMayActFor(principal, body.client_id, '/client_id');
      return createAddress(tx, body);
    },
  }),
  write({
    method: 'PUT',
    path: '/addresses/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Change an address',
    params: idParams,
    body: addressChanges,
    answers: { 200: addressView },
    errors: ['not_found', 'version_mismatch'],
    together: ({ params, body, principal, ifMatch }) => addressTogether(body, { id: params.id, only: onlyClient(principal), ifMatch }),
    handler: (tx, { params, body, principal, ifMatch }) => updateAddress(tx, body, { id: params.id, only: onlyClient(principal), ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/addresses/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Delete an address',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch'],
    handler: (tx, { params, principal, ifMatch }) => deleteAddress(tx, { id: params.id, only: onlyClient(principal), ifMatch }),
  }),
];
