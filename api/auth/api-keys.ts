import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { runStatement, statement } from '../db/statement.ts';
import { admitAll, type Admit, type Principal } from './principal.ts';

export type KeyRole = 'operator' | 'loadtest';

/** `read`: it changes nothing. */
export type KeyScope = 'all' | 'read';

export type ApiKeySummary = {
  readonly id: number;
  readonly name: string;
  readonly role: KeyRole;
  readonly scope: KeyScope;
  readonly created_at: Date;
  /** Null: never. */
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  /** Exact to a minute or so. */
  readonly last_used_at: Date | null;
};

/** Keys of operators and load tests. Only their SHA-256 is stored: they are random, so there is nothing to guess. */
export type ApiKeys = {
  /**
   * Who a key stands for; undefined when it is unknown, expired or revoked. What the database said is believed for 5 s, a no like a
   * yes. Those who ask meanwhile share one question, and one admission.
   */
  readonly authenticate: (key: string, admit?: Admit) => Promise<Principal | undefined>;
  /** Who a key stands for, as far as that is believed without asking; undefined: `authenticate` knows. */
  readonly recall: (key: string) => Principal | undefined;
  /** Why `authenticate` did not know a key, as far as that is remembered; else `unknown`. */
  readonly refusalOf: (key: string) => KeyRefusal;
  /** Makes a key known if it was not yet. One that was revoked stays revoked. @returns its id where it was made now */
  readonly ensure: (key: string, role: KeyRole, name: string) => Promise<number | undefined>;
  /** Makes a key. It is returned here and can never be read again. */
  readonly create: (role: KeyRole, name: string, limits?: KeyLimits) => Promise<{ readonly id: number; readonly key: string }>;
  readonly list: () => Promise<ApiKeySummary[]>;
  /** False when there is no such key, or it was revoked before. */
  readonly revoke: (id: number) => Promise<boolean>;
};

/** Why a key stands for nobody. */
export type KeyRefusal = 'unknown' | 'expired' | 'revoked';

export type KeyLimits = { readonly scope?: KeyScope | undefined; readonly expiresInDays?: number | undefined };

type KeyRow = Pick<ApiKeySummary, 'id' | 'name' | 'role' | 'scope'> & { readonly state: 'valid' | 'expired' | 'revoked' };

const findKey = statement<KeyRow>(
  'api-key-find',
  `WITH used AS (
     UPDATE api_keys SET last_used_at = now()
     WHERE key_hash = $1 AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
   )
   SELECT id, name, role, scope,
     CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'valid' END AS state
   FROM api_keys WHERE key_hash = $1`,
);
const insertKey = statement<{ id: number }>(
  'api-key-insert',
  `INSERT INTO api_keys (name, role, key_hash, scope, expires_at) VALUES ($1, $2, $3, $4, now() + make_interval(days => $5))
   ON CONFLICT (key_hash) DO NOTHING RETURNING id`,
);
const listKeys = statement<ApiKeySummary>(
  'api-key-list',
  'SELECT id, name, role, scope, created_at, expires_at, revoked_at, last_used_at FROM api_keys ORDER BY id',
);
const revokeKey = statement<{ id: number }>(
  'api-key-revoke',
  'UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id',
);

export function createApiKeys(pool: Pool): ApiKeys {
  const known = rememberKeys(async (hash) => {
    const [row] = await runStatement(pool, findKey, [hash]);
    if (!row) return 'unknown';
    return row.state === 'valid' ? ownerOf(row) : row.state;
  });
  return {
    authenticate: async (key, admit = admitAll) => {
      const hash = hashOf(key).toString('base64');
      const last = known.get(hash, { allowStale: true });
      if (isOwner(last)) await admit(last);
      const found = await known.fetch(hash, { context: admit });
      return isOwner(found) ? found : undefined;
    },
    recall: (key) => {
      const found = known.get(hashOf(key).toString('base64'));
      return isOwner(found) ? found : undefined;
    },
    refusalOf: (key) => {
      const found = known.get(hashOf(key).toString('base64'), { allowStale: true });
      return found === undefined || isOwner(found) ? 'unknown' : found;
    },
    ensure: async (key, role, name) => {
      const [made] = await runStatement(pool, insertKey, [name, role, hashOf(key), 'all', null]);
      return made?.id;
    },
    create: async (role, name, { scope = 'all', expiresInDays } = {}) => {
      const key = `atk_${randomBytes(32).toString('base64url')}`;
      const [row] = await runStatement(pool, insertKey, [name, role, hashOf(key), scope, expiresInDays ?? null]);
      if (!row) throw new Error('a random key was taken already');
      return { id: row.id, key };
    },
    list: () => runStatement(pool, listKeys),
    revoke: async (id) => (await runStatement(pool, revokeKey, [id])).length > 0,
  };
}

const ownerOf = ({ id, name, role, scope }: KeyRow): Principal =>
  role === 'operator' && scope === 'read' ? { kind: role, keyId: id, name, isReadOnly: true } : { kind: role, keyId: id, name };

type Owner = Principal | KeyRefusal;

const isOwner = (found: Owner | undefined): found is Principal => typeof found === 'object';

/** More than the limiter lets so many wrong keys through in 5 s that they could push out those in use. */
const maxRemembered = 10_000;

function rememberKeys(find: (hash: Buffer) => Promise<Owner>): LRUCache<string, Owner, Admit> {
  return new LRUCache<string, Owner, Admit>({
    max: maxRemembered,
    ttl: 5_000,
    ttlResolution: 0,
    fetchMethod: async (hash, last, { context: admit }) => {
      if (!isOwner(last)) await admit(undefined);
      return find(Buffer.from(hash, 'base64'));
    },
    // Whose key it was stays known past its time, so that its owner, not the address, is asked to wait.
    noDeleteOnStaleGet: true,
    noDeleteOnFetchRejection: true,
    ignoreFetchAbort: true,
  });
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
