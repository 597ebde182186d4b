import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { ApiError } from '../errors.ts';

/** What the statement was about: the same foreign key says another thing to who adds a child than to who deletes the parent. */
export type Intent = 'write' | 'delete';

type Explain = (options: ErrorOptions) => ApiError;

const fault = (pointer: string, message: string) => ({ errors: [{ pointer, message }] });

const missing =
  (pointer: string, what: string): Explain =>
  (options) =>
    new ApiError('not_found', `The ${what} does not exist.`, fault(pointer, 'does not exist'), options);

const onWrite: Readonly<Record<string, Explain>> = {
  clients_email_unique: (options) =>
    new ApiError('duplicate', 'This e-mail address has an account already.', fault('/email', 'is taken'), options),
  categories_name_unique: (options) =>
    new ApiError('duplicate', 'There is a category of this name already.', fault('/name', 'is taken'), options),
  products_category_fk: missing('/category_id', 'category'),
  orders_client_fk: missing('/client_id', 'client'),
  order_details_product_fk: missing('/product_id', 'product'),
  products_stock_not_negative: (options) => new ApiError('insufficient_stock', 'There is not enough in stock.', {}, options),
};

const onDelete: Readonly<Record<string, Explain>> = {
  products_category_fk: (options) => new ApiError('in_use', 'The category still has products.', {}, options),
  order_details_product_fk: (options) => new ApiError('in_use', 'The product has been sold; orders refer to it.', {}, options),
};

/**
 * Waits for a statement and says a broken constraint in the words of the domain. Other errors pass as they are.
 * @throws {ApiError} that keeps the driver's error as its cause and shows nothing of it
 */
export async function explainConstraints<T>(intent: Intent, work: PromiseLike<T>): Promise<T> {
  try {
    return await work;
  } catch (err) {
    throw explainConstraint(intent, err);
  }
}

const violations = new Set<string | undefined>([SQLSTATE.uniqueViolation, SQLSTATE.foreignKeyViolation, SQLSTATE.checkViolation]);

/** The domain's error for a broken constraint; anything else comes back as it is. Pure. */
export function explainConstraint(intent: Intent, err: unknown): unknown {
  // Objection wraps what the driver throws.
  const driverError = (err as { nativeError?: unknown } | null)?.nativeError ?? err;
  if (!violations.has(sqlStateOf(driverError))) return err;
  const { constraint } = driverError as { constraint?: string };
  const known = intent === 'delete' ? onDelete : onWrite;
  const explain = constraint !== undefined && Object.hasOwn(known, constraint) ? known[constraint] : undefined;
  return explain ? explain({ cause: err }) : err;
}
