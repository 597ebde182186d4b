import { createActiveClients, createTokens } from '#api/auth/tokens.ts';
import { createApiKeys } from '#api/auth/api-keys.ts';
import { createPasswords } from '#api/auth/passwords.ts';
import type { Principal } from '#api/auth/principal.ts';
import { fingerprintOf } from '#api/http/idempotency.ts';
import { createRouteTable } from '#api/http/match-route.ts';
import type { Reply } from '#api/http/route.ts';
import { validateInput } from '#api/http/validate.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import type { MigratedDatabase } from '#test/support/migrated-database.ts';

export const operator: Principal = { kind: 'operator', keyId: 1, name: 'test' };
export const customer = (clientId: number): Principal => ({ kind: 'customer', clientId, quota: 'standard' });

export type CallOptions = {
  readonly body?: unknown;
  readonly query?: Record<string, string>;
  readonly key?: string;
  readonly ifMatch?: number;
};
export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly json: any;
  readonly headers: Readonly<Record<string, string>>;
};
export type Call = (as: Principal, request: string, options?: CallOptions) => Promise<Answer>;

export type Shop = MigratedDatabase & {
  /** Calls a route as the HTTP side would, input checked by its schemas: `call(operator, 'POST /products', { body })`. */
  readonly call: Call;
  readonly services: ApiServices;
};

export function openShop(db: MigratedDatabase, settings: { readonly idempotencyRequired?: boolean } = {}): Shop {
  const services: ApiServices = {
    pool: db.pool,
    knex: db.knex,
    tokens: createTokens('a test secret of at least 32 characters', 60, createActiveClients(db.pool)),
    passwords: createPasswords({ concurrency: 2 }),
    apiKeys: createApiKeys(db.pool),
    idempotencyRequired: settings.idempotencyRequired ?? false,
  };
  return { ...db, services, call: createCall(services) };
}

function createCall(services: ApiServices): Call {
  const table = createRouteTable(createRoutes(services));
  return async (principal, request, { body, query = {}, key, ifMatch } = {}) => {
    const [method = '', path = ''] = request.split(' ');
    const match = table.match(method, path);
    if (!match?.route) throw new Error(`no route ${request}`);
    const { route, params } = match;
    const reply = await route.handler({
      params: validateInput(route.params, params, 'params'),
      query: validateInput(route.query, query, 'query'),
      body: validateInput(route.body, body, 'body'),
      principal,
      requestId: 'test',
      ifMatch,
      idempotency: key === undefined ? undefined : { key, fingerprint: fingerprintOf(method, path, body) },
      signal: AbortSignal.timeout(30_000),
    });
    return asAnswer(reply);
  };
}

function asAnswer({ status, body, headers = {} }: Reply): Answer {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  return { status, text, json: text === '' ? undefined : JSON.parse(text), headers };
}

export async function addClient({ pool }: MigratedDatabase, email = `buyer-${crypto.randomUUID()}@example.com`): Promise<number> {
  const { rows } = await pool.query<{ id_key: number }>(
    `INSERT INTO clients (name, lastname, email) VALUES ('Ada', 'Buyer', $1) RETURNING id_key`,
    [email],
  );
  return rows[0]!.id_key;
}

export type NewProduct = { readonly stock: number; readonly price?: number; readonly name?: string };

export async function addProduct({ call }: Shop, { stock, price = 9.99, name = 'Lamp' }: NewProduct): Promise<number> {
  const { json } = await call(operator, 'POST /products', { body: { name, price, stock } });
  return json.id_key as number;
}

export async function stockOf({ pool }: MigratedDatabase, productId: number): Promise<number> {
  const { rows } = await pool.query<{ stock: number }>('SELECT stock FROM products WHERE id_key = $1', [productId]);
  return rows[0]!.stock;
}

/** Products whose ledger does not add up to their stock, and orders whose total is not that of their lines: none, ever. */
export async function brokenInvariants({ pool }: MigratedDatabase): Promise<object[]> {
  const { rows } = await pool.query<object>(`
    SELECT 'stock' AS what, p.id_key, p.stock AS stored, coalesce(sum(m.quantity), 0)::integer AS computed
    FROM products p LEFT JOIN stock_movements m ON m.product_id = p.id_key
    GROUP BY p.id_key HAVING p.stock <> coalesce(sum(m.quantity), 0) OR p.stock < 0
    UNION ALL
    SELECT 'total', o.id_key, o.total_cents::integer, coalesce(sum(d.quantity * d.price_cents), 0)::integer
    FROM orders o LEFT JOIN order_details d ON d.order_id = o.id_key
    GROUP BY o.id_key HAVING o.total_cents <> coalesce(sum(d.quantity * d.price_cents), 0)
    UNION ALL
    SELECT 'line without movement', d.id_key, d.quantity, 0
    FROM order_details d WHERE NOT EXISTS (
      SELECT FROM stock_movements m WHERE m.order_detail_id = d.id_key AND m.reason = 'sale' AND m.quantity = -d.quantity AND m.order_id = d.order_id
    )`);
  return rows;
}
