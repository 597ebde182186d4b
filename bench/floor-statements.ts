/**
 * The statements the API runs for the two requests of the bench, word for word: the floor does the same work in the
 * database, and nothing around it. (api/products/read-products, api/orders/place-order, api/stock, api/db/idempotent)
 */
export const floorStatements = {
  product: {
    name: 'floor-product',
    text: 'SELECT id_key, name, description, price_cents, stock, category_id, version FROM products WHERE id_key = $1',
  },
  claim: {
    name: 'floor-claim',
    text: `INSERT INTO idempotency_keys AS held (principal, key, fingerprint) VALUES ($1, $2, $3)
   ON CONFLICT (principal, key) DO UPDATE SET fingerprint = $3, status = NULL, headers = NULL, body = NULL, created_at = now()
   WHERE held.created_at < now() - interval '24 hours'
   RETURNING 1 AS claimed`,
  },
  lock: {
    name: 'floor-lock',
    text: `SELECT id_key, name, price_cents, stock, version FROM products
   WHERE id_key = ANY ($1::bigint[]) ORDER BY id_key FOR NO KEY UPDATE`,
  },
  record: {
    name: 'floor-record',
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
     RETURNING id_key, order_id, product_id, quantity
   ), 
  taken AS (
    UPDATE products SET stock = products.stock - sold.quantity, version = products.version + 1, updated_at = now()
    FROM (SELECT product_id, sum(quantity)::integer AS quantity FROM lines GROUP BY product_id) AS sold
    WHERE products.id_key = sold.product_id AND products.stock >= sold.quantity
    RETURNING products.id_key
  ), moved AS (
    INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
    SELECT product_id, -quantity, 'sale', order_id, id_key FROM lines
  )
   SELECT id_key, date, status, version,
     (SELECT coalesce(json_agg(lines.id_key ORDER BY lines.id_key), '[]') FROM lines) AS line_ids,
     (SELECT count(*)::integer FROM taken) AS taken
   FROM placed`,
  },
  store: {
    name: 'floor-store',
    text: `WITH purged AS (
     DELETE FROM idempotency_keys WHERE (principal, key) IN (
       SELECT principal, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
       ORDER BY created_at LIMIT 2 FOR UPDATE SKIP LOCKED
     )
   )
   UPDATE idempotency_keys SET status = $3, headers = $4, body = $5 WHERE principal = $1 AND key = $2`,
  },
} as const;
