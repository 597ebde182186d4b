import type { Step } from '../generate/step.ts';
import type { ShopClient } from '../scenarios/shop/clients.ts';
import { SetUpError, type SetUpClient } from '../targets/set-up.ts';
import type { Kind } from './recording.ts';

/** What requests to the shop are made of. */
export type Orders = {
  /** In plenty. */
  readonly product: number;
  /** Unique; stands in the key of every order. */
  readonly runId: string;
  readonly routes: readonly Route[];
};

/** What is asked; every order has a key of its own. */
export function stepOf(kind: Kind, { product, runId, routes }: Orders, { clientId, accessToken }: ShopClient, number: number): Step {
  const headers = { authorization: `Bearer ${accessToken}` };
  const get = (path: string): Step => ({ endpoint: kind, method: 'GET', path, headers });
  const post = (order: object): Step => ({
    endpoint: kind,
    method: 'POST',
    path: '/api/v1/orders',
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': `${runId}-${number}` },
    body: JSON.stringify({ client_id: clientId, ...order }),
  });
  if (kind === 'quick') return get(`/api/v1/products/${product}`);
  if (kind === 'list') return get('/api/v1/products?limit=20');
  if (kind === 'missing') return get('/api/v1/products/2000000000');
  if (kind === 'invalid') return post({ delivery_method: 99 });
  if (kind === 'failing') return post({ delivery_method: 1, lines: [{ product_id: 2_000_000_000, quantity: 1 }] });
  if (kind === 'route') return routeStep(routes[number % routes.length], headers, `${runId}-${number}`);
  if (kind === 'order' || kind === 'hasty') return post({ delivery_method: 1, lines: [{ product_id: product, quantity: 1 }] });
  // Without lines it runs into the statement that fails, or with home delivery into the slow one.
  return post({ delivery_method: kind === 'broken' ? 2 : 3 });
}

type Route = { readonly method: Step['method']; readonly path: string };

/** Everything the service says it offers. @throws {SetUpError} when it does not say so */
export async function readRoutes(http: SetUpClient): Promise<Route[]> {
  const { json } = await http.send({ method: 'GET', path: '/openapi.json' });
  const { paths = {} } = (json ?? {}) as { paths?: Readonly<Record<string, object>> };
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    methods.filter((method) => method.toLowerCase() in operations).map((method) => ({ method, path: path.replaceAll(/\{[^}]*\}/g, '1') })),
  );
  if (routes.length === 0) throw new SetUpError(`${http.origin}/openapi.json names no route`);
  return routes;
}

const methods: readonly Step['method'][] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** With nothing in it: what writes refuses it, sooner or later. */
function routeStep(route: Route | undefined, headers: Step['headers'], key: string): Step {
  const { method, path } = route ?? { method: 'GET', path: '/' };
  const isRead = method === 'GET' || method === 'DELETE';
  const more = isRead ? {} : { headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key }, body: '{}' };
  return { endpoint: 'route', method, path, headers, ...more };
}
