import { SignJWT, errors, jwtVerify } from 'jose';
import type { Pool } from 'pg';
import { runStatement, statement } from '../db/statement.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { Principal } from './principal.ts';

export type Quota = 'standard' | 'loadtest';

export type AccessToken = { readonly accessToken: string; readonly expiresInSeconds: number };

/** Access tokens of clients: short-lived, signed, stored nowhere. */
export type Tokens = {
  readonly issue: (claims: { readonly clientId: number; readonly quota: Quota }) => Promise<AccessToken>;
  /** The client a token proves; undefined when it is not ours, has expired, or the client has been deleted. */
  readonly verify: (token: string) => Promise<Principal | undefined>;
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
  const verified = createExpiringCache<VerifiedToken>({ capacity: 10_000, ttlMs: 60_000 });
  const readToken = async (token: string): Promise<VerifiedToken | undefined> =>
    token.length > maxTokenLength ? undefined : verified.getOrLoad(token, () => verifySignature(token, key));
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
    verify: async (token) => {
      const found = await readToken(token);
      if (!found || found.expiresAtMs <= Date.now()) return undefined;
      return (await clients.isActive(found.principal.clientId)) ? found.principal : undefined;
    },
    forget: clients.forget,
  };
}

type VerifiedToken = {
  readonly principal: Extract<Principal, { kind: 'customer' }>;
  /** Unix time. */
  readonly expiresAtMs: number;
};

async function verifySignature(token: string, key: Uint8Array): Promise<VerifiedToken | undefined> {
  try {
    const { payload } = await jwtVerify<{ quota?: unknown }>(token, key, {
      algorithms: ['HS256'],
      issuer,
      audience,
      requiredClaims: ['sub', 'exp'],
    });
    const clientId = Number(payload.sub);
    if (!Number.isSafeInteger(clientId) || payload.exp === undefined) return undefined;
    const quota: Quota = payload.quota === 'loadtest' ? 'loadtest' : 'standard';
    return { principal: { kind: 'customer', clientId, quota }, expiresAtMs: payload.exp * 1_000 };
  } catch (err) {
    if (err instanceof errors.JOSEError) return undefined;
    throw err;
  }
}

/** Which clients still exist. A deletion is seen at once by the process that did it, by the others within 5 s. */
export type ActiveClients = {
  readonly isActive: (clientId: number) => Promise<boolean>;
  /** To be called when a client has been deleted. */
  readonly forget: (clientId: number) => void;
};

const activeClient = statement<{ found: number }>(
  'active-client',
  'SELECT 1 AS found FROM clients WHERE id_key = $1 AND deleted_at IS NULL',
);

export function createActiveClients(pool: Pool): ActiveClients {
  const known = createExpiringCache<boolean>({ capacity: 10_000, ttlMs: 5_000 });
  return {
    isActive: async (clientId) => {
      const isActive = await known.getOrLoad(String(clientId), async () => (await runStatement(pool, activeClient, [clientId])).length > 0);
      return isActive ?? false;
    },
    forget: (clientId) => known.delete(String(clientId)),
  };
}
