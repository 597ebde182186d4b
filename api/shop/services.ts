import type { Knex } from 'knex';
import type { Pool } from 'pg';
import type { ApiKeys } from '../auth/api-keys.ts';
import type { Passwords } from '../auth/passwords.ts';
import type { Tokens } from '../auth/tokens.ts';

/** What the resources work with; each takes only what it needs. */
export type ApiServices = {
  readonly pool: Pool;
  readonly knex: Knex;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly apiKeys: ApiKeys;
  /** Whether a POST without Idempotency-Key is refused. */
  readonly idempotencyRequired: boolean;
};
