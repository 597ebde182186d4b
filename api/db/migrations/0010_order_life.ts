import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // The ledger outlives what it tells of: a line may be taken out of its order again, and be changed more than once. That
  // no more comes back than was sold is held by the line itself.
  await knex.raw(`
    ALTER TABLE order_details
      ADD COLUMN returned integer NOT NULL DEFAULT 0,
      ADD COLUMN version integer NOT NULL DEFAULT 1,
      ADD CONSTRAINT order_details_returned_of_sold CHECK (returned BETWEEN 0 AND quantity);
    UPDATE order_details SET returned = back.quantity FROM (
      SELECT order_detail_id, sum(quantity)::integer AS quantity FROM stock_movements WHERE reason = 'return' GROUP BY order_detail_id
    ) AS back WHERE order_details.id_key = back.order_detail_id;
    ALTER TABLE orders
      ADD COLUMN refunded_cents bigint NOT NULL DEFAULT 0,
      ADD CONSTRAINT orders_refunded_of_paid CHECK (refunded_cents BETWEEN 0 AND total_cents);
    ALTER TABLE stock_movements
      DROP CONSTRAINT stock_movements_once_per_line,
      DROP CONSTRAINT stock_movements_order_detail_fk,
      DROP CONSTRAINT stock_movements_order_fk;
    CREATE TABLE order_events (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      order_id bigint NOT NULL CONSTRAINT order_events_order_fk REFERENCES orders (id_key) ON DELETE CASCADE,
      event text NOT NULL CONSTRAINT order_events_event_known CHECK (event IN ('status', 'refund')),
      status_before smallint NOT NULL,
      status smallint NOT NULL,
      refunded_cents bigint NOT NULL DEFAULT 0,
      caused_by text NOT NULL,
      date timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX order_events_of_order ON order_events (order_id, id_key);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TABLE order_events;
    ALTER TABLE stock_movements
      ADD CONSTRAINT stock_movements_order_fk FOREIGN KEY (order_id) REFERENCES orders (id_key),
      ADD CONSTRAINT stock_movements_order_detail_fk FOREIGN KEY (order_detail_id) REFERENCES order_details (id_key),
      ADD CONSTRAINT stock_movements_once_per_line UNIQUE (order_detail_id, reason);
    ALTER TABLE orders DROP COLUMN refunded_cents;
    ALTER TABLE order_details DROP COLUMN returned, DROP COLUMN version;
  `);
}
