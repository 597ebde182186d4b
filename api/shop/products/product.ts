import { Model } from 'objection';

/** A thing for sale. Its stock moves only through stock/. */
export class Product extends Model {
  static override readonly tableName = 'products';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly description: string | null;
  declare readonly price_cents: number;
  declare readonly stock: number;
  declare readonly category_id: number | null;
  declare readonly version: number;
}
