import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // A mail that waits to be sent; once it is, nothing is left of it. due_at: when it is tried next, also while somebody tries.
  // A reset has the id of the mail that carries its token; the token itself stands nowhere.
  await knex.raw(`
    CREATE TABLE mails (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind text NOT NULL CONSTRAINT mails_kind_known CHECK (kind IN ('password_reset', 'password_changed', 'email_changed')),
      address text NOT NULL,
      client_id bigint CONSTRAINT mails_client_fk REFERENCES clients (id_key),
      attempts integer NOT NULL DEFAULT 0,
      due_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX mails_due ON mails (due_at);
    CREATE INDEX mails_of_client ON mails (client_id);
    CREATE INDEX mails_of_address ON mails (lower(address));
    CREATE TABLE password_resets (
      id bigint PRIMARY KEY,
      client_id bigint NOT NULL CONSTRAINT password_resets_client_fk REFERENCES clients (id_key),
      nonce bytea NOT NULL,
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX password_resets_of_client ON password_resets (client_id);
    CREATE INDEX password_resets_expired ON password_resets (expires_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE password_resets; DROP TABLE mails;');
}
