import { read, write, type Route } from '../../http/route.ts';
import { asWritten, listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage, pageQuery } from '../pages.ts';
import { filterProducts } from './filter-products.ts';
import { productChanges, productConstraints, productFilter, productInput, productView } from './product-schema.ts';
import { createProduct, deleteProduct, readProduct, readProducts, updateProduct } from './products.ts';

export const productRoutes: readonly Route[] = [
  read({
    path: '/products',
    access: 'public',
    summary: 'List products',
    query: pageQuery,
    answers: { 200: listOf(productView) },
    next: nextPage,
    handler: (db, { query }) => readProducts(db, query),
  }),
  read({
    path: '/products/filter',
    access: 'public',
    limitClass: 'search',
    summary: 'Find products',
    query: productFilter,
    answers: { 200: listOf(productView) },
    next: nextPage,
    handler: (db, { query }) => filterProducts(db, query),
  }),
  read({
    path: '/products/:id',
    access: 'public',
    summary: 'Read a product',
    params: idParams,
    answers: { 200: asWritten(productView) },
    errors: ['not_found'],
    handler: (db, { params }) => readProduct(db, params.id),
  }),
  write({
    method: 'POST',
    path: '/products',
    write: 'once',
    access: ['operator'],
    summary: 'Create a product',
    body: productInput,
    answers: { 201: asWritten(productView) },
    errors: ['not_found'],
    constraints: productConstraints,
    handler: (tx, { body }) => createProduct(tx, body),
  }),
  write({
    method: 'PUT',
    path: '/products/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Change a product',
    params: idParams,
    body: productChanges,
    answers: { 200: asWritten(productView) },
    errors: ['not_found', 'version_mismatch'],
    constraints: productConstraints,
    handler: (tx, { params, body, ifMatch }) => updateProduct(tx, { id: params.id, changes: body, ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/products/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Delete a product that was never sold',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch', 'in_use'],
    constraints: productConstraints,
    handler: (tx, { params, ifMatch }) => deleteProduct(tx, params.id, ifMatch),
  }),
];
