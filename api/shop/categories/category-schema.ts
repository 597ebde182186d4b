import * as z from 'zod';
import type { Constraints } from '../../db/constraints.ts';
import { integer, text, view } from '../../http/view.ts';
import { line } from '../fields.ts';

const name = line(1, 100).describe('Name of the category; unique.');

export const categoryInput = z.strictObject({ name });
/** A field left out stays as it is. */
export const categoryChanges = z.strictObject({ name: name.optional() });

export type CategoryInput = z.output<typeof categoryInput>;
export type CategoryChanges = z.output<typeof categoryChanges>;

export const categoryView = view([integer('id_key'), text('name'), integer('version')]);

export const categoryConstraints: Constraints = {
  categories_name_unique: { code: 'duplicate', detail: 'There is a category of this name already.', fault: ['/name', 'is taken'] },
  products_category_fk: { code: 'in_use', detail: 'The category still has products.' },
};
