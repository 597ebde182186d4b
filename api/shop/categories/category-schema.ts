import * as z from 'zod';
import { text } from '../fields.ts';

const name = text(1, 100).describe('Name of the category; unique.');

export const categoryInput = z.strictObject({ name });
/** A field left out stays as it is. */
export const categoryChanges = z.strictObject({ name: name.optional() });

export type CategoryInput = z.output<typeof categoryInput>;
export type CategoryChanges = z.output<typeof categoryChanges>;
