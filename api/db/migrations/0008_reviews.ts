import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Reviews that an operator brings along have no author, and a product may have any number of them.
  await knex.raw(`
    CREATE TABLE reviews (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      rating_tenths smallint NOT NULL CONSTRAINT reviews_rating_in_range CHECK (rating_tenths BETWEEN 10 AND 50),
      comment text,
      product_id bigint NOT NULL CONSTRAINT reviews_product_fk REFERENCES products (id_key) ON DELETE CASCADE,
      client_id bigint CONSTRAINT reviews_client_fk REFERENCES clients (id_key),
      author text,
      verified_purchase boolean NOT NULL,
      version integer NOT NULL DEFAULT 1,
      date timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT reviews_one_per_author UNIQUE (product_id, client_id)
    );
    CREATE INDEX reviews_of_product ON reviews (product_id, id_key);
    CREATE INDEX reviews_of_client ON reviews (client_id) WHERE client_id IS NOT NULL;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE reviews;');
}
