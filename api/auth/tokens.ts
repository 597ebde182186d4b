import { SignJWT, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { runStatement, statement } from '../db/statement.ts';
import { admitAll, type Admit, type Principal } from './principal.ts';

export type Quota = 'standard' | 'loadtest';

export type AccessToken = { readonly accessToken: string; readonly expiresInSeconds: number };

/** Access tokens of clients: short-lived, signed, stored nowhere. */
export type Tokens = {
  readonly issue: (claims: { readonly clientId: number; readonly quota: Quota }) => Promise<AccessToken>;
  /**
   * The client a token proves; undefined when it is not ours, has expired, or the client has been deleted. `admit` hears
   * the client of a token that is ours before the database is asked whether it still exists.
   */
  readonly verify: (token: string, admit?: Admit) => Promise<Principal | undefined>;
  /** The client a token proves, as far as that can be said without asking anybody; undefined: `verify` knows. */
  readonly recall: (token: string) => Principal | undefined;
  /** To be called when a client has been deleted, so that its tokens end at once in this process. */
  readonly forget: (clientId: number) => void;
};

const issuer = 'atalaya';
const audience = 'atalaya-api';
/** Longer than any token this project makes; keeps what is no token out of the cache. */
const maxTokenLength = 1_000;

/**
 * @param secret at least 32 characters; changing it ends every token
 * @param ttlSeconds how long a token lives
 */
export function createTokens(secret: string, ttlSeconds: number, clients: ActiveClients): Tokens {
  const key = new TextEncoder().encode(secret);
  // A request in a hundred brings a new token; checking the signature for the others again would cost more than the rest of a read.
  const verified = new LRUCache<string, VerifiedToken | typeof worthless>({
    max: 10_000,
    ttl: 60_000,
    fetchMethod: (token) => verifySignature(token, key),
    ignoreFetchAbort: true,
  });
  return {
    issue: async ({ clientId, quota }) => {
      const accessToken = await new SignJWT({ quota })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(String(clientId))
        .setIssuedAt()
        .setExpirationTime(`${ttlSeconds}s`)
        .sign(key);
      return { accessToken, expiresInSeconds: ttlSeconds };
    },
    verify: async (token, admit = admitAll) => {
      const found = token.length > maxTokenLength ? worthless : await verified.fetch(token);
      if (!found || found === worthless || found.expiresAtMs <= Date.now()) return undefined;
      await admit(found.principal);
      return (await clients.isActive(found.principal.clientId)) ? found.principal : undefined;
    },
    recall: (token) => {
      const found = verified.get(token);
      if (!found || found === worthless || found.expiresAtMs <= Date.now()) return undefined;
      return clients.isKnown(found.principal.clientId) ? found.principal : undefined;
    },
    forget: clients.forget,
  };
}

const worthless = 'worthless';

type VerifiedToken = {
  readonly principal: Extract<Principal, { kind: 'customer' }>;
  /** Unix time. */
  readonly expiresAtMs: number;
};

async function verifySignature(token: string, key: Uint8Array): Promise<VerifiedToken | typeof worthless> {
  try {
    const { payload } = await jwtVerify<{ quota?: unknown }>(token, key, {
      algorithms: ['HS256'],
      issuer,
      audience,
      requiredClaims: ['sub', 'exp'],
    });
    const clientId = Number(payload.sub);
    if (!Number.isSafeInteger(clientId) || payload.exp === undefined) return worthless;
    const quota: Quota = payload.quota === 'loadtest' ? 'loadtest' : 'standard';
    return { principal: { kind: 'customer', clientId, quota }, expiresAtMs: payload.exp * 1_000 };
  } catch (err) {
    if (err instanceof errors.JOSEError) return worthless;
    throw err;
  }
}

/** Which clients still exist. A deletion is seen at once by the process that did it, by the others within 5 s. */
export type ActiveClients = {
  readonly isActive: (clientId: number) => Promise<boolean>;
  /** Whether a client was seen to exist a moment ago; false also where nobody has looked. */
  readonly isKnown: (clientId: number) => boolean;
  /** To be called when a client has been deleted. */
  readonly forget: (clientId: number) => void;
};

const activeClient = statement<{ found: number }>(
  'active-client',
  'SELECT 1 AS found FROM clients WHERE id_key = $1 AND deleted_at IS NULL',
);

export function createActiveClients(pool: Pool): ActiveClients {
  const known = new LRUCache<number, boolean>({
    max: 10_000,
    ttl: 5_000,
    fetchMethod: async (clientId) => (await runStatement(pool, activeClient, [clientId])).length > 0,
    // A question that is under way when its client is deleted still answers who asked, but is not remembered.
    ignoreFetchAbort: true,
  });
  return {
    isActive: async (clientId) => (await known.fetch(clientId)) ?? false,
    isKnown: (clientId) => known.get(clientId) === true,
    forget: (clientId) => known.delete(clientId),
  };
}
