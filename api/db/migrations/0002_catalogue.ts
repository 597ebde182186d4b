import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Room in each page lets a sale rewrite its product's row in place, without touching an index.
  await knex.raw(`
    CREATE TABLE categories (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL CONSTRAINT categories_name_unique UNIQUE,
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );

    CREATE TABLE products (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL,
      description text,
      price_cents bigint NOT NULL CONSTRAINT products_price_positive CHECK (price_cents > 0),
      stock integer NOT NULL DEFAULT 0 CONSTRAINT products_stock_not_negative CHECK (stock >= 0),
      category_id bigint CONSTRAINT products_category_fk REFERENCES categories (id_key),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 80);
    CREATE INDEX products_category ON products (category_id);
    CREATE INDEX products_name ON products (name);
    CREATE INDEX products_price ON products (price_cents);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE products; DROP TABLE categories;');
}
