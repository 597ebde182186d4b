import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Every change of a product's stock has its row in stock_movements, the first stock too: their sum is the stock.
  await knex.raw(`
    CREATE TABLE orders (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      date timestamptz NOT NULL DEFAULT now(),
      total_cents bigint NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_cents >= 0),
      delivery_method smallint NOT NULL CONSTRAINT orders_delivery_method_known CHECK (delivery_method BETWEEN 1 AND 3),
      status smallint NOT NULL DEFAULT 1 CONSTRAINT orders_status_known CHECK (status BETWEEN 1 AND 4),
      client_id bigint NOT NULL CONSTRAINT orders_client_fk REFERENCES clients (id_key),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX orders_of_client ON orders (client_id, id_key);

    CREATE TABLE order_details (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      order_id bigint NOT NULL CONSTRAINT order_details_order_fk REFERENCES orders (id_key),
      product_id bigint NOT NULL CONSTRAINT order_details_product_fk REFERENCES products (id_key),
      quantity integer NOT NULL CONSTRAINT order_details_quantity_positive CHECK (quantity > 0),
      price_cents bigint NOT NULL CONSTRAINT order_details_price_positive CHECK (price_cents > 0),
      product_name text NOT NULL
    );
    CREATE INDEX order_details_of_order ON order_details (order_id);
    CREATE INDEX order_details_of_product ON order_details (product_id);

    CREATE TABLE stock_movements (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      product_id bigint NOT NULL CONSTRAINT stock_movements_product_fk REFERENCES products (id_key) ON DELETE CASCADE,
      quantity integer NOT NULL,
      reason text NOT NULL CONSTRAINT stock_movements_reason_known CHECK (reason IN ('initial', 'adjustment', 'sale', 'return')),
      order_id bigint CONSTRAINT stock_movements_order_fk REFERENCES orders (id_key),
      order_detail_id bigint CONSTRAINT stock_movements_order_detail_fk REFERENCES order_details (id_key),
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT stock_movements_once_per_line UNIQUE (order_detail_id, reason)
    );
    CREATE INDEX stock_movements_of_product ON stock_movements (product_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE stock_movements; DROP TABLE order_details; DROP TABLE orders;');
}
