import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { Client } from 'pg';
import { expect } from 'vitest';
import { createKnownAddresses } from '#api/auth/known-addresses.ts';
import { createPasswordResets } from '#api/auth/password-resets.ts';
import { createPasswords } from '#api/auth/passwords.ts';
import { anonymous, type Principal } from '#api/auth/principal.ts';
import { createActiveClients, createTokens } from '#api/auth/tokens.ts';
import { createDatabase, type Database } from '#api/db/tx.ts';
import { ApiError } from '#api/errors.ts';
import { perform } from '#api/http/answer.ts';
import { createClaims } from '#api/http/idempotency.ts';
import { createRouteTable } from '#api/http/match-route.ts';
import { withoutOwnId } from '#api/http/read-request.ts';
import type { Route } from '#api/http/route.ts';
import { validateInput } from '#api/http/validate.ts';
import { answerSchema, refusalCodes } from '#api/openapi/openapi-document.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { MigratedDatabase } from '#test/support/migrated-database.ts';

export { anonymous };
export const operator: Principal = { kind: 'operator', keyId: 1, name: 'test' };
export const customer = (clientId: number): Principal => ({ kind: 'customer', clientId, quota: 'standard' });

export type CallOptions = {
  readonly body?: unknown;
  readonly query?: Record<string, string>;
  readonly key?: string;
  /** For an anonymous caller's key. */
  readonly address?: string;
  readonly ifMatch?: number;
};
export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly json: any;
  readonly headers: Readonly<Record<string, string>>;
  /** The cursor of the next page. */
  readonly next?: string;
};
export type Call = (as: Principal, request: string, options?: CallOptions) => Promise<Answer>;

export type Shop = MigratedDatabase & {
  /** Calls a route as the HTTP side would, input checked by its schemas: `call(operator, 'POST /products', { body })`. */
  readonly call: Call;
  readonly services: ApiServices;
};

export type ShopSettings = { readonly idempotencyRequired?: boolean; readonly database?: Database; readonly mail?: ApiServices['mail'] };

const secret = 'a test secret of at least 32 characters';

export function openShop(db: MigratedDatabase, settings: ShopSettings = {}): Shop {
  const database = settings.database ?? createDatabase(db.pool);
  const services: ApiServices = {
    tokens: createTokens(secret, 60, createActiveClients(database.read)),
    passwords: createPasswords({ concurrency: 2 }),
    sessionSeconds: 3_600,
    resets: createPasswordResets(secret),
    knownAddresses: createKnownAddresses(secret),
    mail: settings.mail,
  };
  return { ...db, services, call: createCall(services, database, settings) };
}

function createCall(services: ApiServices, database: Database, settings: ShopSettings): Call {
  const table = createRouteTable(createRoutes(services));
  const claimOf = createClaims({ secret: 'a test secret', isRequired: settings.idempotencyRequired ?? false });
  return async (principal, request, { body, query = {}, key: header, ifMatch, address = '192.0.2.1' } = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const match = table.match(method, path);
    if (!match?.route) throw new Error(`no route ${request}`);
    const { route, params: given } = match;
    try {
      const params = validateInput(route.params, given, 'params');
      const input = {
        params,
        query: validateInput(route.query, query, 'query'),
        body: validateInput(route.body, withoutOwnId(route, body, params), 'body'),
        principal,
        address,
        ifMatch: ifMatch === undefined ? undefined : [ifMatch],
        signal: AbortSignal.timeout(30_000),
        note: () => {},
      };
      const claim = claimOf({ route, path, rawBody: body, principal, address, header });
      const answer = await perform(database, route, input, { claim });
      const text = answer.body ?? '';
      const next = 'next' in answer && answer.next !== undefined ? { next: answer.next } : {};
      const seen = { status: answer.status, text, json: text === '' ? undefined : JSON.parse(text), headers: answer.headers, ...next };
      assertDocumented(route, seen);
      return seen;
    } catch (err) {
      assertDeclared(route, err);
      throw err;
    }
  };
}

/** The answer is as the document of the API says. */
function assertDocumented(route: Route, { status, json }: Answer): void {
  if (status !== route.status) throw new Error(`${nameOf(route)} is documented to answer ${route.status}, not ${status}`);
  if (json === undefined) return;
  const isValid = schemas.compile(answerSchema(route));
  if (!isValid(json)) throw new Error(`${nameOf(route)} answers otherwise than documented: ${schemas.errorsText(isValid.errors)}`);
}

const schemas = new Ajv2020({ multipleOfPrecision: 6 });
formats.default(schemas);

function assertDeclared(route: Route, err: unknown): void {
  if (!(err instanceof ApiError) || refusalCodes(route).includes(err.code)) return;
  throw new Error(`${nameOf(route)} does not declare that it may answer ${err.code}`, { cause: err });
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

export async function addClient({ pool }: MigratedDatabase, email = `buyer-${crypto.randomUUID()}@example.com`): Promise<number> {
  const { rows } = await pool.query<{ id_key: number }>(
    `INSERT INTO clients (name, lastname, email) VALUES ('Ada', 'Buyer', $1) RETURNING id_key`,
    [email],
  );
  return rows[0]!.id_key;
}

/** The entity tag of a version, whatever the release. */
export const versionTag = (version: number): unknown => expect.stringMatching(new RegExp(`^"${version}-[0-9a-f]{8}(-[0-9a-f]{16})?"$`));

export type NewProduct = { readonly stock: number; readonly price?: number; readonly name?: string };

export async function addProduct({ call }: Shop, { stock, price = 9.99, name = 'Lamp' }: NewProduct): Promise<number> {
  const { json } = await call(operator, 'POST /products', { body: { name, price, stock } });
  return json.id_key as number;
}

export async function stockOf({ pool }: MigratedDatabase, productId: number): Promise<number> {
  const { rows } = await pool.query<{ stock: number }>('SELECT stock FROM products WHERE id_key = $1', [productId]);
  return rows[0]!.stock;
}

/** Starts `work` while a change is not committed yet, and commits that once as many as `waiting` wait for it. What came of `work`. */
export async function whileHeld(db: MigratedDatabase, change: string, work: () => Promise<unknown>, waiting = 1): Promise<unknown> {
  const holder = new Client(clientOptions(db.settings, 'atalaya-test'));
  await holder.connect();
  try {
    await holder.query('BEGIN');
    await holder.query(change);
    const outcome = work().catch((err: unknown) => err);
    const locked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await expect.poll(async () => (await db.pool.query(locked)).rowCount, { timeout: 4_000 }).toBe(waiting);
    await holder.query('COMMIT');
    return await outcome;
  } finally {
    await holder.end();
  }
}

/**
 * Products whose ledger does not add up to their stock, orders whose total is not that of their lines, lines and bills that stand
 * for something else than was sold: none, ever.
 */
export async function brokenInvariants({ pool }: MigratedDatabase): Promise<object[]> {
  const { rows } = await pool.query<{ what: string; stored: number; computed: number }>(`
    SELECT 'stock' AS what, p.id_key, p.stock AS stored, coalesce(sum(m.quantity), 0)::integer AS computed
    FROM products p LEFT JOIN stock_movements m ON m.product_id = p.id_key
    GROUP BY p.id_key HAVING p.stock <> coalesce(sum(m.quantity), 0) OR p.stock < 0
    UNION ALL
    SELECT 'total', o.id_key, o.total_cents::integer, coalesce(sum(d.quantity * d.price_cents), 0)::integer
    FROM orders o LEFT JOIN order_details d ON d.order_id = o.id_key
    GROUP BY o.id_key HAVING o.total_cents <> coalesce(sum(d.quantity * d.price_cents), 0)
    UNION ALL
    SELECT 'sold', d.id_key, d.quantity, (
      SELECT -coalesce(sum(m.quantity), 0)::integer FROM stock_movements m
      WHERE m.order_detail_id = d.id_key AND m.reason = 'sale' AND m.order_id = d.order_id AND m.product_id = d.product_id
    ) AS computed FROM order_details d
    UNION ALL
    SELECT 'returned', d.id_key, d.returned, (
      SELECT coalesce(sum(m.quantity), 0)::integer FROM stock_movements m WHERE m.order_detail_id = d.id_key AND m.reason = 'return'
    ) FROM order_details d
    UNION ALL
    SELECT 'bill', b.id_key, b.total_cents::integer, greatest(0, coalesce(
      (SELECT CASE status WHEN 4 THEN 0 ELSE total_cents END FROM orders o WHERE o.bill_id = b.id_key), 0) - discount_cents)::integer
    FROM bills b`);
  return rows.filter(
    ({ what, stored, computed }) =>
      !((what === 'sold' || what === 'bill') && stored === computed) && !(what === 'returned' && computed <= stored),
  );
}
