import { productCategory, productReviews, productView } from '#api/shop/products/product-schema.ts';

/**
 * What the floor asks of the database: each request by itself, and an order in as many statements as it has steps, which is
 * how such a server is written. The columns, locks, guards and the ledger are the API's.
 */

type Named = { readonly name: string; readonly text: string };

/** Of a page's products alone, as JSON: what they show of others. */
const shown = `${productView.select}, ${productCategory.sql} AS category, ${productReviews.sql} AS reviews`;
const pageOf = (rows: string): string => `SELECT ${shown} FROM (SELECT ${productView.select} FROM products ${rows}) AS products`;

export const oneProduct: Named = { name: 'product-one', text: `SELECT ${shown} FROM products WHERE id_key = $1` };

export const productPage: Named = {
  name: 'product-page',
  text: pageOf('ORDER BY id_key LIMIT $1 OFFSET $2'),
};

export const filterPage: Named = {
  name: 'product-filter',
  text: pageOf('WHERE name ILIKE $1 AND price_cents <= $2 AND stock > 0 ORDER BY price_cents, id_key LIMIT $3 OFFSET $4'),
};

export const lockProducts: Named = {
  name: 'products-lock',
  text: `SELECT id_key, name, price_cents, stock, version FROM products
   WHERE id_key = ANY ($1::bigint[]) ORDER BY id_key FOR NO KEY UPDATE`,
};

export const recordOrder: Named = {
  name: 'order-record',
  text: `WITH placed AS (
     INSERT INTO orders (total_cents, delivery_method, client_id)
     SELECT $1, $2, id_key FROM clients WHERE id_key = $3 AND deleted_at IS NULL
     RETURNING id_key, date, status, version
   ), lines AS (
     INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
     SELECT placed.id_key, line.product_id, line.quantity, line.price_cents, line.product_name
     FROM placed, unnest($4::bigint[], $5::integer[], $6::bigint[], $7::text[])
       WITH ORDINALITY AS line (product_id, quantity, price_cents, product_name, position)
     ORDER BY line.position
     RETURNING id_key
   )
   SELECT id_key, date, status, version,
     (SELECT coalesce(json_agg(lines.id_key ORDER BY lines.id_key), '[]') FROM lines) AS line_ids
   FROM placed`,
};

export const takeStock: Named = {
  name: 'stock-take',
  text: `WITH sold AS (
     SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[]) AS line (product_id, quantity, order_id, line_id)
   ), wanted AS (
     SELECT product_id, sum(quantity)::integer AS quantity FROM sold GROUP BY product_id
   ), taken AS (
     UPDATE products SET stock = products.stock - wanted.quantity, version = products.version + 1, updated_at = now()
     FROM wanted WHERE products.id_key = wanted.product_id AND products.stock >= wanted.quantity
     RETURNING products.id_key
   ), moved AS (
     INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
     SELECT product_id, -quantity, 'sale', order_id, line_id FROM sold
   )
   SELECT (SELECT count(*) FROM wanted)::integer - (SELECT count(*) FROM taken)::integer AS missing`,
};
