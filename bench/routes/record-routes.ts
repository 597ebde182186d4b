import type { Pool, PoolClient } from 'pg';
import { createKnownAddresses } from '#api/auth/known-addresses.ts';
import { createPasswordResets } from '#api/auth/password-resets.ts';
import { createPasswords } from '#api/auth/passwords.ts';
import type { Principal } from '#api/auth/principal.ts';
import { createActiveClients, createTokens } from '#api/auth/tokens.ts';
import { createPool } from '#api/db/pool.ts';
import { createDatabase } from '#api/db/tx.ts';
import { perform } from '#api/http/answer.ts';
import { createClaims } from '#api/http/idempotency.ts';
import { createRouteTable } from '#api/http/match-route.ts';
import { validateInput } from '#api/http/validate.ts';
import { createRoutes } from '#api/shop/routes.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { followValues, type Script, type Sent, type Take } from './follow-values.ts';

/** One request, as a user of the bench sends it. */
export type RouteRequest = {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below /api/v1, with the query. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
};

/** What it asks of the database, and what is answered. */
export type Recording = { readonly script: Script; readonly status: number; readonly body: string };

export type Recorder = {
  /** @throws {ApiError} when the API refuses it */
  readonly record: (request: RouteRequest, clientId: number) => Promise<Recording>;
  readonly close: () => Promise<void>;
};

/** Never leaves this process: what it digests is not read by anybody. */
const secret = 'the bench keeps nothing of what this digests';

/**
 * Does requests by the API's own routes, on a connection that is listened to, so that what the floor asks of the database is what the API
 * asks: its statements in their order, BEGIN and COMMIT among them. What credentials, limits and logs ask is no part of it.
 */
export function createRecorder(postgres: PostgresSettings): Recorder {
  const pool = createPool(
    { ...postgres, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 10, DB_POOL_RECYCLE: 3_600 },
    'atalaya-bench',
  );
  const heard = listenTo(pool);
  const play = createPlayer(pool);
  const take = async (request: RouteRequest, clientId: number, key: string | undefined): Promise<Take & Omit<Recording, 'script'>> => {
    heard.length = 0;
    const { status, body = '' } = await play(request, { kind: 'customer', clientId, quota: 'loadtest' }, key);
    return { key, sent: [...heard], status, body };
  };
  return {
    record: async (request, clientId) => {
      const keyed = (): string | undefined => (request.method === 'POST' ? `bench-${crypto.randomUUID()}` : undefined);
      const [one, other] = [await take(request, clientId, keyed()), await take(request, clientId, keyed())];
      return { script: followValues(one, other), status: one.status, body: one.body };
    },
    close: () => pool.end(),
  };
}

/** What the pool's connections send from now on, in their order, each with its rows once they are there. */
function listenTo(pool: Pool): Sent[] {
  const heard: Sent[] = [];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => Promise<{ rows: Sent['rows'] }> | undefined;
    const heardQuery = (...given: unknown[]): unknown => {
      const [asked, more, done] = given;
      const config = (typeof asked === 'string' ? { text: asked } : asked) as {
        name?: string;
        text: string;
        values?: unknown[];
        types?: object;
      };
      const { name, text, values = Array.isArray(more) ? (more as unknown[]) : [], types } = config;
      const sent: { -readonly [K in keyof Sent]: Sent[K] } = { name, text, values, isText: types !== undefined, rows: [] };
      heard.push(sent);
      const callback = [done, more].find((one) => typeof one === 'function') as
        | ((err: unknown, result?: { rows: Sent['rows'] }) => void)
        | undefined;
      const keep = (result: { rows: Sent['rows'] } | undefined): void => void (sent.rows = result?.rows ?? []);
      if (callback) return query(config, values, (err: unknown, result?: { rows: Sent['rows'] }) => (keep(result), callback(err, result)));
      const answered = query(asked, more);
      answered?.then(keep, () => undefined);
      return answered;
    };
    Object.assign(client, { query: heardQuery as PoolClient['query'] });
  });
  return heard;
}

/** Calls a route as the HTTP side does, its input checked by its schemas. */
function createPlayer(pool: Pool): (request: RouteRequest, principal: Principal, key: string | undefined) => ReturnType<typeof perform> {
  const database = createDatabase(pool);
  const services = {
    tokens: createTokens(secret, 60, createActiveClients(database.read)),
    passwords: createPasswords({ concurrency: 1 }),
    sessionSeconds: 60,
    resets: createPasswordResets(secret),
    knownAddresses: createKnownAddresses(secret),
    mail: undefined,
  };
  const table = createRouteTable(createRoutes(services));
  const claimOf = createClaims({ secret, isRequired: false });
  return async ({ method, path: target, body }, principal, header) => {
    const [path = '', search = ''] = target.split('?');
    const match = table.match(method, path);
    if (!match?.route) throw new RangeError(`the API has no ${method} ${path}`);
    const { route, params } = match;
    const input = {
      params: validateInput(route.params, params, 'params'),
      query: validateInput(route.query, Object.fromEntries(new URLSearchParams(search)), 'query'),
      body: validateInput(route.body, body, 'body'),
      principal,
      address: '127.0.0.1',
      ifMatch: undefined,
      signal: new AbortController().signal,
      note: () => {},
    };
    return perform(database, route, input, { claim: claimOf({ route, path, rawBody: body, principal, address: '127.0.0.1', header }) });
  };
}
