import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { statement } from '../db/statement.ts';
import type { Db, Tx } from '../db/tx.ts';

/**
 * The addresses that a client has proved itself from, by its password or by a token that was mailed to it. Tries from there are
 * counted apart from those of strangers, who could else keep the owner out for as long as they guess.
 * @see https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export type KnownAddresses = {
  /** @param address as the rate limit counts it: an IPv6 network counts as one */
  readonly isKnown: (db: Pick<Db, 'query'>, email: string, address: string) => Promise<boolean>;
  readonly remember: (tx: Tx, clientId: number, address: string) => Promise<void>;
};

const forgottenAfter = `interval '90 days'`;
const maxEach = 10;

const isKnown = statement(
  'address-known',
  `SELECT FROM known_addresses JOIN clients ON id_key = client_id
   WHERE lower(email) = lower($1) AND deleted_at IS NULL AND address_digest = $2 AND seen_at > now() - ${forgottenAfter}`,
);
const remember = statement(
  'address-remember',
  `WITH forgotten AS (
     DELETE FROM known_addresses WHERE client_id = $1 AND address_digest <> $2 AND (seen_at <= now() - ${forgottenAfter} OR address_digest IN (
       SELECT address_digest FROM known_addresses WHERE client_id = $1 AND address_digest <> $2 ORDER BY seen_at DESC OFFSET ${maxEach - 1}
     ))
   )
   INSERT INTO known_addresses AS known (client_id, address_digest) VALUES ($1, $2)
   ON CONFLICT (client_id, address_digest) DO UPDATE SET seen_at = now() WHERE known.seen_at < now() - interval '1 day'`,
);

/** @param secret of the server: with it alone an address is recognised */
export function createKnownAddresses(secret: string): KnownAddresses {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'atalaya known addresses', 32)));
  const digestOf = (address: string): Buffer => createHmac('sha256', key).update(address).digest();
  return {
    isKnown: async (db, email, address) => (await db.query(isKnown, [email, digestOf(address)])).length > 0,
    remember: async (tx, clientId, address) => {
      await tx.query(remember, [clientId, digestOf(address)]);
    },
  };
}

const forgetAll = statement('addresses-forget', 'DELETE FROM known_addresses WHERE client_id = $1');

/** Part of a client's deletion. */
export async function eraseKnownAddresses(tx: Tx, clientId: number): Promise<void> {
  await tx.query(forgetAll, [clientId]);
}
