import { Model } from 'objection';
import { clientKey, clientNotFound } from '../../auth/principal.ts';
import { eraseKnownAddresses } from '../../auth/known-addresses.ts';
import { endResets } from '../../auth/password-resets.ts';
import { endSessions } from '../../auth/sessions.ts';
import { textStatement, unseen } from '../../db/statement.ts';
import type { Db, Tx } from '../../db/tx.ts';
import { ApiError } from '../../errors.ts';
import { eraseAnswersAbout } from '../../http/idempotency.ts';
import { dropResetMails, eraseMails, queueMail } from '../../mail/outbox.ts';
import { eraseAddresses } from '../addresses/addresses.ts';
import { askEachPage, askPage, pageOf, pagesOfEach, type Page, type WrittenPage } from '../pages.ts';
import { eraseAuthor } from '../reviews/reviews.ts';
import { assertVersion, raised } from '../versioned.ts';
import { clientView, type ClientChanges, type RegistrationInput } from './client-schema.ts';

/** Someone who buys. A deleted client keeps its row, emptied of all that is personal, because its orders stay. */
class Client extends Model {
  static override readonly tableName = 'clients';
  static override readonly idColumn = 'id_key';

  declare readonly id_key: number;
  declare readonly name: string;
  declare readonly lastname: string;
  /** Unique whatever its case. */
  declare readonly email: string;
  declare readonly telephone: string | null;
  /** Null when the client cannot log in with a password. */
  declare readonly password_hash: string | null;
  /** The load test's key that made it; null for real clients. */
  declare readonly created_by_key_id: number | null;
  declare readonly version: number;
}

type ClientText = {
  readonly id_key: string;
  readonly name: string;
  readonly lastname: string;
  readonly email: string;
  readonly telephone: string | null;
  readonly version: string;
};

const clientsById = textStatement<ClientText>(
  'clients-by-id',
  `SELECT ${clientView.select} FROM clients WHERE id_key = ANY (${unseen('$1', 'bigint[]')}) AND deleted_at IS NULL`,
);
const clientPage = pageOf('client-page', clientView, 'clients', 'deleted_at IS NULL');
const pageOfOne = pagesOfEach('client-pages-of-one', clientView, 'clients', {
  asked: ['client'],
  condition: 'id_key = asked.client AND deleted_at IS NULL',
});

/** @throws not_found also for a deleted client */
export async function readClient(db: Db, id: number): Promise<ClientText> {
  const row = await db.byId(clientsById, id);
  if (!row) throw clientNotFound();
  return row;
}

/** @param only the one client to be seen; undefined: all */
export function readClients(db: Db, page: Page, only: number | undefined): Promise<WrittenPage> {
  return only === undefined ? askPage(db, clientPage, page) : askEachPage(db, pageOfOne, page, [only]);
}

export type Registration = Omit<RegistrationInput, 'password'> & {
  readonly passwordHash: string | null;
  /** The load test's key that registers it, if one does. */
  readonly createdByKeyId: number | null;
};

/** @throws duplicate when the e-mail address has an account, in whatever case */
export async function registerClient(tx: Tx, { passwordHash, createdByKeyId, ...personal }: Registration): Promise<Client> {
  const row = { ...personal, password_hash: passwordHash, created_by_key_id: createdByKeyId };
  return Client.query(tx.knex)
    .insert(row)
    .returning([...clientView.columns]);
}

export type ClientUpdate = {
  readonly id: number;
  readonly changes: Omit<ClientChanges, 'current_password'>;
  /** Whether who asks has proved to be the owner, or need not: nobody else chooses where the way back in is mailed to. */
  readonly mayMove: boolean;
  readonly ifMatch: readonly number[] | undefined;
  /** The session that asks, if any. */
  readonly sessionId?: number | undefined;
  /** Whether what changes the way in is told by mail. */
  readonly isMailed: boolean;
};

/** Told later than a day after, it would only confuse. */
const noticeTtlSeconds = 86_400;

/**
 * Changes the fields given. Another e-mail address ends all sessions but the one that asks; the one before is told of it.
 * @throws version_mismatch, not_found also for a deleted client, forbidden for another e-mail address without proof, or duplicate when
 * that has another account
 */
export async function updateClient(
  tx: Tx,
  { id, changes, mayMove, ifMatch, sessionId, isMailed }: ClientUpdate,
): Promise<{ readonly client: Client; readonly hasNewAddress: boolean }> {
  const found = await Client.query(tx.knex).findById(id).whereNull('deleted_at').forNoKeyUpdate();
  assertVersion(found, ifMatch, 'client');
  const hasNewAddress = changes.email !== undefined && changes.email !== found.email;
  if (hasNewAddress) {
    if (!mayMove) throw new ApiError('forbidden', 'The e-mail address has been changed meanwhile; the current password is asked for.');
    await endSessions(tx, id, { but: sessionId });
    await endResets(tx, id);
    await dropResetMails(tx, found.email);
    if (isMailed) await queueMail(tx, { kind: 'email_changed', address: found.email, clientId: id, ttlSeconds: noticeTtlSeconds });
  }
  return { client: await Client.query(tx.knex).patchAndFetchById(id, raised(changes)), hasNewAddress };
}

export type ClientDeletion = {
  readonly id: number;
  /** When a load test asks: its key, which must have made the client. */
  readonly madeByKeyId?: number | undefined;
  readonly ifMatch: readonly number[] | undefined;
};

/**
 * Ends an account for good: nothing personal is left of it, nobody can log in, the e-mail address is free again. Orders stay, and reviews without an author.
 * @throws version_mismatch, or not_found also when it was deleted before, or made by someone else than the load test that asks
 */
export async function deleteClient(tx: Tx, { id, madeByKeyId, ifMatch }: ClientDeletion): Promise<void> {
  const query = Client.query(tx.knex).findById(id).whereNull('deleted_at').forNoKeyUpdate();
  if (madeByKeyId !== undefined) query.where('created_by_key_id', madeByKeyId);
  const found = await query;
  assertVersion(found, ifMatch, 'client');
  const nobody = { name: 'deleted', lastname: 'deleted', email: `deleted-${id}@invalid`, telephone: null, password_hash: null };
  await Client.query(tx.knex)
    .findById(id)
    .patch(raised({ ...nobody, deleted_at: new Date() }));
  await endSessions(tx, id);
  await endResets(tx, id);
  await eraseKnownAddresses(tx, id);
  await eraseMails(tx, id, found.email);
  await eraseAddresses(tx, id);
  await eraseAuthor(tx, id);
  await eraseAnswersAbout(tx, clientKey(id));
}

/**
 * Gives a client another password, which ends all sessions but the one that asks, and every token that would change it again.
 * @throws not_found also for a deleted client
 */
export async function changePassword(
  tx: Tx,
  { id, passwordHash, sessionId, isMailed }: Omit<ClientUpdate, 'changes' | 'mayMove' | 'ifMatch'> & { readonly passwordHash: string },
): Promise<Client> {
  const [changed] = await Client.query(tx.knex)
    .where({ id_key: id })
    .whereNull('deleted_at')
    .patch(raised({ password_hash: passwordHash }))
    .returning(['id_key', 'name', 'email']);
  if (!changed) throw clientNotFound();
  await endSessions(tx, id, { but: sessionId });
  await endResets(tx, id);
  if (isMailed) await queueMail(tx, { kind: 'password_changed', address: changed.email, clientId: id, ttlSeconds: noticeTtlSeconds });
  return changed;
}
