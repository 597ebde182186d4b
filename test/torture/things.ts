/** What a customer keeps with the shop and changes again, on the condition of its version. */
export type ThingKind = 'address' | 'review' | 'line';

type Shown = Readonly<Record<string, unknown>>;

type Kept = {
  readonly path: string;
  /** What is asked for of it, beside what it belongs to. */
  readonly bodyOf: (content: string) => object;
  /** The same, as the shop shows it. */
  readonly contentOf: (shown: Shown) => string;
};

/** Of each kind one field stands for all of it, as text. */
export const things: Readonly<Record<ThingKind, Kept>> = {
  address: { path: '/addresses', bodyOf: (street) => ({ street }), contentOf: ({ street }) => street as string },
  review: { path: '/reviews', bodyOf: (comment) => ({ rating: 4.5, comment }), contentOf: ({ comment }) => comment as string },
  line: { path: '/order_details', bodyOf: (pieces) => ({ quantity: Number(pieces) }), contentOf: ({ quantity }) => String(quantity) },
};

/** The same of what the database holds of some clients ($1), under the kinds of `what.thing`; bills and orders have one version here. */
export const thingsSql = `
  SELECT 'address' AS thing, id_key::float8 AS id, version, street AS content FROM addresses WHERE client_id = ANY ($1::bigint[])
  UNION ALL SELECT 'review', id_key::float8, version, comment FROM reviews WHERE client_id = ANY ($1::bigint[])
  UNION ALL SELECT 'order', id_key::float8, 1, bill_id::text FROM orders WHERE client_id = ANY ($1::bigint[])
  UNION ALL SELECT 'bill', id_key::float8, 1, payment_type::text FROM bills WHERE client_id = ANY ($1::bigint[])
  -- The cancellation of its order raises the version of a line once more.
  UNION ALL SELECT 'line', line.id_key::float8, line.version - (returned > 0)::integer, quantity::text
    FROM order_details line JOIN orders ON orders.id_key = order_id WHERE client_id = ANY ($1::bigint[])`;

/** Lines of the same, those that were taken out too: the pieces each stands for, and those that it has taken out of stock. */
export const movedSql = `
  WITH own AS (SELECT id_key FROM orders WHERE client_id = ANY ($1::bigint[]))
  SELECT coalesce(line.id, ledger.id)::float8 AS line, coalesce(pieces, 0)::float8 AS pieces, coalesce(moved, 0)::float8 AS moved
  FROM (SELECT id_key AS id, quantity - returned AS pieces FROM order_details WHERE order_id IN (SELECT * FROM own)) AS line
  FULL JOIN (
    SELECT order_detail_id AS id, -sum(quantity) AS moved FROM stock_movements WHERE order_id IN (SELECT * FROM own) GROUP BY 1
  ) AS ledger USING (id)`;

/** Bills of the same, with the order that each pays: what its lines make, less what was canceled, and what both say of it. */
export const billsSql = `
  SELECT bills.id_key::float8 AS bill, bill_number AS number, bills.total_cents::float8 AS "billedCents",
    orders.id_key::float8 AS "order", orders.status = 4 AS "isCanceled", orders.total_cents::float8 AS "totalCents",
    (SELECT coalesce(sum(quantity * price_cents), 0)::float8 FROM order_details WHERE order_id = orders.id_key) AS "linesCents"
  FROM bills LEFT JOIN orders ON bill_id = bills.id_key WHERE bills.client_id = ANY ($1::bigint[])`;
