import { read, write, type Route } from '../../http/route.ts';
import { asWritten, listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage, pageQuery } from '../pages.ts';
import { createCategory, deleteCategory, readCategories, readCategory, updateCategory } from './categories.ts';
import { categoryChanges, categoryConstraints, categoryInput, categoryView } from './category-schema.ts';

export const categoryRoutes: readonly Route[] = [
  read({
    path: '/categories',
    access: 'public',
    summary: 'List categories',
    query: pageQuery,
    answers: { 200: listOf(categoryView) },
    next: nextPage,
    handler: (db, { query }) => readCategories(db, query),
  }),
  read({
    path: '/categories/:id',
    access: 'public',
    summary: 'Read a category',
    params: idParams,
    answers: { 200: asWritten(categoryView) },
    errors: ['not_found'],
    handler: (db, { params }) => readCategory(db, params.id),
  }),
  write({
    method: 'POST',
    path: '/categories',
    write: 'once',
    access: ['operator'],
    summary: 'Create a category',
    body: categoryInput,
    answers: { 201: categoryView },
    errors: ['duplicate'],
    constraints: categoryConstraints,
    handler: (tx, { body }) => createCategory(tx, body),
  }),
  write({
    method: 'PUT',
    path: '/categories/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Change a category',
    params: idParams,
    body: categoryChanges,
    answers: { 200: categoryView },
    errors: ['not_found', 'version_mismatch', 'duplicate'],
    constraints: categoryConstraints,
    handler: (tx, { params, body, ifMatch }) => updateCategory(tx, { id: params.id, changes: body, ifMatch }),
  }),
  write({
    method: 'DELETE',
    path: '/categories/:id',
    write: 'plainly',
    access: ['operator'],
    summary: 'Delete a category without products',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch', 'in_use'],
    constraints: categoryConstraints,
    handler: (tx, { params, ifMatch }) => deleteCategory(tx, params.id, ifMatch),
  }),
];
