import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Within one statement each of these sees what has been committed by now, and not what had been when the statement
  // began: an order can then be one statement, which looks at its products only once it has waited for them. The ids are
  // hidden from the planner, which would otherwise plan anew for each list of them.
  await knex.raw(`
    CREATE FUNCTION lock_products(ids bigint[]) RETURNS TABLE (id_key bigint, name text, price_cents bigint, stock integer)
    LANGUAGE plpgsql ROWS 10 AS $$
    BEGIN
      RETURN QUERY SELECT products.id_key, products.name, products.price_cents, products.stock FROM products
        WHERE products.id_key = ANY ((SELECT ids)::bigint[]) ORDER BY products.id_key FOR NO KEY UPDATE;
    END $$;

    CREATE FUNCTION take_stock(product_ids bigint[], quantities integer[]) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE products SET stock = stock - wanted.quantity, version = version + 1, updated_at = now()
        FROM unnest((SELECT product_ids), (SELECT quantities)) AS wanted (product_id, quantity)
        WHERE products.id_key = wanted.product_id;
    END $$;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP FUNCTION take_stock; DROP FUNCTION lock_products;');
}
