import { Model } from 'objection';

/** Someone who buys. A deleted client keeps its row, emptied of all that is personal, because its orders stay. */
export class Client extends Model {
  static override readonly tableName = 'clients';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly lastname: string;
  /** Unique whatever its case. */
  declare readonly email: string;
  declare readonly telephone: string | null;
  /** Null when the client cannot log in with a password. */
  declare readonly password_hash: string | null;
  /** The load test's key that made it; null for real clients. */
  declare readonly created_by_key_id: number | null;
  declare readonly deleted_at: Date | null;
  declare readonly version: number;
}
