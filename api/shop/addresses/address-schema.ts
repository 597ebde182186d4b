import * as z from 'zod';
import { clientKey } from '../../auth/principal.ts';
import { integer, nullable, text, view } from '../../http/view.ts';
import { id, idText, line } from '../fields.ts';
import { page } from '../pages.ts';

const street = line(1, 200).nullable().describe('Street, without the number.');
const number = line(1, 20).nullable().describe('Number of the house, such as 12 B.');
const city = line(1, 100).nullable().describe('City.');

export const addressInput = z.strictObject({
  street: street.default(null),
  number: number.default(null),
  city: city.default(null),
  client_id: id.describe('Whose address it is.'),
});

/** A field left out stays as it is; null clears it. An address stays its client's: another one may be repeated, not given. */
export const addressChanges = z.strictObject({
  street: street.optional(),
  number: number.optional(),
  city: city.optional(),
  client_id: id.optional().describe('Must be the one it has.'),
});

export type AddressInput = z.output<typeof addressInput>;
export type AddressChanges = z.output<typeof addressChanges>;

export const addressQuery = z.strictObject({ client_id: idText.optional().describe('Only addresses of this client.'), ...page });

export const addressView = view(
  [integer('id_key'), nullable(text('street')), nullable(text('number')), nullable(text('city')), integer('client_id'), integer('version')],
  { ownerOf: ({ client_id }) => clientKey(client_id) },
);
