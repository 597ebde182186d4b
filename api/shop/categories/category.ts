import { Model } from 'objection';

/** A group of products. Its name is unique. */
export class Category extends Model {
  static override readonly tableName = 'categories';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly version: number;
}
