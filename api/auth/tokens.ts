import { SignJWT, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { SharedReads } from '../db/shared-reads.ts';
import { statement, unseen } from '../db/statement.ts';
import { admitAll, type Admit, type Principal } from './principal.ts';

export type Quota = 'standard' | 'loadtest';

export type AccessToken = { readonly accessToken: string; readonly expiresInSeconds: number };

/** Access tokens of clients: short-lived, signed, stored nowhere. */
export type Tokens = {
  readonly issue: (claims: {
    readonly clientId: number;
    readonly quota: Quota;
    readonly sessionId?: number | undefined;
  }) => Promise<AccessToken>;
  /**
   * The client a token proves; undefined when it is not ours, has expired, its session has ended or the client been deleted.
   * `admit` hears the client of a token that is ours before the database is asked whether it still exists.
   */
  readonly verify: (token: string, admit?: Admit) => Promise<Principal | undefined>;
  /** The client a token proves, as far as that can be said without asking anybody; undefined: `verify` knows. */
  readonly recall: (token: string) => Principal | undefined;
  /** To be called when a client has been deleted, or sessions of it ended, so that their tokens end at once in this process. */
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
    ttlAutopurge: true,
    ttlResolution: 0,
    fetchMethod: (token) => verifySignature(token, key),
    ignoreFetchAbort: true,
  });
  return {
    issue: async ({ clientId, quota, sessionId }) => {
      const accessToken = await new SignJWT({ quota, ...(sessionId !== undefined && { sid: sessionId }) })
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
      return (await clients.isActive(found.principal, found.issuedAtMs)) ? found.principal : undefined;
    },
    recall: (token) => {
      const found = verified.get(token);
      if (!found || found === worthless || found.expiresAtMs <= Date.now()) return undefined;
      return clients.isKnown(found.principal) ? found.principal : undefined;
    },
    forget: clients.forget,
  };
}

const worthless = 'worthless';

type Customer = Extract<Principal, { kind: 'customer' }>;

type VerifiedToken = {
  readonly principal: Customer;
  /** Unix time. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
};

async function verifySignature(token: string, key: Uint8Array): Promise<VerifiedToken | typeof worthless> {
  try {
    const { payload } = await jwtVerify<{ quota?: unknown; sid?: unknown }>(token, key, {
      algorithms: ['HS256'],
      issuer,
      audience,
      requiredClaims: ['sub', 'iat', 'exp'],
    });
    const clientId = Number(payload.sub);
    if (!Number.isSafeInteger(clientId) || payload.exp === undefined) return worthless;
    const quota: Quota = payload.quota === 'loadtest' ? 'loadtest' : 'standard';
    const sessionId = typeof payload.sid === 'number' ? payload.sid : undefined;
    const principal: Customer = { kind: 'customer', clientId, quota, ...(sessionId !== undefined && { sessionId }) };
    return { principal, issuedAtMs: Number(payload.iat) * 1_000, expiresAtMs: payload.exp * 1_000 };
  } catch (err) {
    if (err instanceof errors.JOSEError) return worthless;
    throw err;
  }
}

/** Which clients, and sessions of theirs, still exist. An end is seen at once by the process that did it, by the others within 5 s. */
export type ActiveClients = {
  /** @param issuedAtMs when the session, or a token of it, was made: one that is younger than what is remembered is looked for */
  readonly isActive: (customer: Customer, issuedAtMs: number) => Promise<boolean>;
  /** Whether they were seen to exist a moment ago; false also where nobody has looked. */
  readonly isKnown: (customer: Customer) => boolean;
  /** To be called when a client has been deleted, or a session has ended. */
  readonly forget: (clientId: number) => void;
};

const rememberedMs = 5_000;
/** Tokens tell whole seconds, and clocks of two machines differ. */
const clockSlackMs = 2_000;

const activeClients = statement<{ id_key: number; sessions: number[] }>(
  'active-clients',
  `SELECT id_key, ARRAY(SELECT id::float8 FROM sessions WHERE client_id = clients.id_key AND expires_at > now()) AS sessions
   FROM clients WHERE id_key = ANY (${unseen('$1', 'bigint[]')}) AND deleted_at IS NULL`,
);

/** `sessions` undefined: the client does not exist. */
type Seen = { readonly sessions: ReadonlySet<number> | undefined; readonly atMs: number };

/** @param reads so that however many clients come at once, as after a pause or a start, they take two connections and not all of them */
export function createActiveClients(reads: Pick<SharedReads, 'byId'>): ActiveClients {
  const known = new LRUCache<number, Seen>({
    max: 10_000,
    ttl: rememberedMs,
    ttlAutopurge: true,
    ttlResolution: 0,
    fetchMethod: async (clientId) => {
      const atMs = Date.now();
      const row = await reads.byId(activeClients, clientId);
      return { sessions: row && new Set(row.sessions), atMs };
    },
    // A question that is under way when its client is deleted still answers who asked, but is not remembered.
    ignoreFetchAbort: true,
  });
  return {
    isActive: async (customer, issuedAtMs) => {
      const seen = await known.fetch(customer.clientId);
      if (isAmong(seen, customer)) return true;
      if (seen === undefined || seen.atMs > issuedAtMs + clockSlackMs) return false;
      return isAmong(await known.fetch(customer.clientId, { forceRefresh: true }), customer);
    },
    isKnown: (customer) => isAmong(known.get(customer.clientId), customer),
    forget: (clientId) => known.delete(clientId),
  };
}

const isAmong = (seen: Seen | undefined, { sessionId }: Customer): boolean =>
  seen?.sessions !== undefined && (sessionId === undefined || seen.sessions.has(sessionId));
