import type { Knex } from 'knex';
import * as clients from './0001_clients.ts';
import * as catalogue from './0002_catalogue.ts';
import * as orders from './0003_orders.ts';
import * as idempotency from './0004_idempotency.ts';
import * as answerOwner from './0005_answer_owner.ts';
import * as search from './0006_search.ts';
import * as addresses from './0007_addresses.ts';
import * as reviews from './0008_reviews.ts';
import * as bills from './0009_bills.ts';
import * as orderLife from './0010_order_life.ts';
import * as sessions from './0011_sessions.ts';
import * as keyScope from './0012_key_scope.ts';
import * as mail from './0013_mail.ts';
import * as knownAddresses from './0014_known_addresses.ts';
import * as filterOrders from './0015_filter_orders.ts';
import * as stockFunctions from './0016_stock_functions.ts';

export type Migration = {
  /** Number and topic, as in 0001_clients; it is also the name of its file here. */
  readonly name: string;
  readonly up: (knex: Knex) => Promise<void>;
  readonly down: (knex: Knex) => Promise<void>;
  /**
   * Whether the version before this migration still works with the schema after it, as when it only adds. That version may
   * then be started again, or run on beside the new one; otherwise it refuses to.
   */
  readonly isExpansion: boolean;
};

/** Every migration, oldest first. One that has been released is never edited, only followed by another. */
export const migrations: readonly Migration[] = [
  { name: '0001_clients', isExpansion: true, ...clients },
  { name: '0002_catalogue', isExpansion: true, ...catalogue },
  { name: '0003_orders', isExpansion: true, ...orders },
  { name: '0004_idempotency', isExpansion: true, ...idempotency },
  { name: '0005_answer_owner', isExpansion: true, ...answerOwner },
  { name: '0006_search', isExpansion: true, ...search },
  { name: '0007_addresses', isExpansion: true, ...addresses },
  { name: '0008_reviews', isExpansion: true, ...reviews },
  { name: '0009_bills', isExpansion: true, ...bills },
  { name: '0010_order_life', isExpansion: true, ...orderLife },
  { name: '0011_sessions', isExpansion: true, ...sessions },
  // The version before takes a key that may only read, or has expired, for one that may do all.
  { name: '0012_key_scope', isExpansion: true, ...keyScope },
  { name: '0013_mail', isExpansion: true, ...mail },
  { name: '0014_known_addresses', isExpansion: true, ...knownAddresses },
  { name: '0015_filter_orders', isExpansion: true, ...filterOrders },
  { name: '0016_stock_functions', isExpansion: true, ...stockFunctions },
];
