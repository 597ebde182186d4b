import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // ordered_cents is what the order that refers to the bill makes; until there is one it is nothing.
  await knex.raw(`
    CREATE SEQUENCE bill_numbers START 1001;
    CREATE TABLE bills (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      bill_number text NOT NULL CONSTRAINT bills_number_unique UNIQUE,
      discount_cents bigint NOT NULL DEFAULT 0 CONSTRAINT bills_discount_not_negative CHECK (discount_cents >= 0),
      date date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
      ordered_cents bigint NOT NULL DEFAULT 0 CONSTRAINT bills_ordered_not_negative CHECK (ordered_cents >= 0),
      total_cents bigint NOT NULL GENERATED ALWAYS AS (greatest(0, ordered_cents - discount_cents)) STORED,
      payment_type smallint NOT NULL CONSTRAINT bills_payment_type_known CHECK (payment_type BETWEEN 1 AND 5),
      client_id bigint NOT NULL CONSTRAINT bills_client_fk REFERENCES clients (id_key),
      version integer NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX bills_of_client ON bills (client_id, id_key);
    ALTER TABLE orders ADD COLUMN bill_id bigint CONSTRAINT orders_bill_fk REFERENCES bills (id_key);
    ALTER TABLE orders ADD CONSTRAINT orders_one_per_bill UNIQUE (bill_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE orders DROP COLUMN bill_id; DROP TABLE bills; DROP SEQUENCE bill_numbers;');
}
