import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Each order of a filter, with all that it asks of a product but the stock: pages far on are counted off the index. Stock
  // stays out of it, so that a sale still rewrites its product's row in place.
  await knex.raw(`
    CREATE INDEX products_name_rising ON products (name, id_key) INCLUDE (price_cents, category_id);
    CREATE INDEX products_name_falling ON products (name DESC, id_key) INCLUDE (price_cents, category_id);
    CREATE INDEX products_price_rising ON products (price_cents, id_key) INCLUDE (category_id);
    CREATE INDEX products_price_falling ON products (price_cents DESC, id_key) INCLUDE (category_id);
    DROP INDEX products_name, products_price;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE INDEX products_name ON products (name);
    CREATE INDEX products_price ON products (price_cents);
    DROP INDEX products_name_rising, products_name_falling, products_price_rising, products_price_falling;
  `);
}
