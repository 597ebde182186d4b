import { Router } from '@koa/router';
import type { ApiMiddleware } from './exchange.ts';
import { ApiError } from '../errors.ts';
import type { Route } from './route.ts';
import { send } from './send.ts';

export type Match =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path exists, but not for this method. `allowed` as in the Allow header. */
  | { readonly route: undefined; readonly allowed: string };

export type RouteTable = { readonly match: (method: string, path: string) => Match | undefined };

/**
 * The routes by their canonical path below /api/v1. Each resource has a router of its own, since a router tries all its paths.
 * @throws when two routes have the same method and path, or one begins with a parameter
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const routers = new Map<string, Router>();
  const routeOf = new Map<object, Route>();
  const seen = new Set<string>();
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    if (seen.has(name)) throw new Error(`the route ${name} is defined twice`);
    seen.add(name);
    if (route.path.startsWith('/:')) throw new Error(`the route ${name} begins with a parameter`);
    const resource = firstPart(route.path);
    const router = routers.get(resource) ?? new Router({ strict: true, sensitive: true });
    routers.set(resource, router);
    routeOf.set(
      router.register(route.path, methodsOf(route), () => undefined),
      route,
    );
  }
  return {
    match: (method, path) => {
      const canonical = canonicalPath(path);
      // The most specific path is meant, whatever its methods: GET /clients/login is a wrong method, not the client "login".
      // @koa/router's own `exclusive: 'specificity'` decides only among the routes that take the method.
      let layers: Router['stack'] = [];
      for (const layer of routers.get(firstPart(canonical))?.match(canonical, method).path ?? []) {
        const difference = layer.paramNames.length - (layers[0]?.paramNames.length ?? Infinity);
        if (difference < 0) layers = [layer];
        else if (difference === 0) layers.push(layer);
      }
      if (layers.length === 0) return undefined;
      const layer = layers.find(({ methods }) => methods.includes(method));
      if (!layer) return { route: undefined, allowed: [...layers.flatMap(({ methods }) => methods), 'OPTIONS'].join(', ') };
      const params = layer.paramNames.length === 0 ? noParams : layer.params(canonical, layer.captures(canonical));
      return { route: routeOf.get(layer) as Route, params };
    },
  };
}

/** A PUT changes only the fields that it names, which is what others call PATCH: the two are the same. */
const methodsOf = ({ method }: Route): string[] => (method === 'PUT' ? ['PUT', 'PATCH'] : [method]);

const noParams: Readonly<Record<string, string>> = Object.freeze({});

function firstPart(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path : path.slice(0, end);
}

/**
 * The path a route is registered under. `/api/v1` and a trailing slash may be left out or not, and `/{resource}/id/{id}`
 * is `/{resource}/{id}`, `/order-details` is `/order_details`: all answer alike, without a redirect.
 */
export function canonicalPath(path: string): string {
  let canonical = path.startsWith('/api/v1/') ? path.slice(7) : path;
  if (canonical.length > 1 && canonical.endsWith('/')) canonical = canonical.slice(0, -1);
  if (canonical.startsWith('/order-details')) canonical = `/order_details${canonical.slice('/order-details'.length)}`;
  const idAt = canonical.indexOf('/id/');
  return idAt > 0 && canonical.indexOf('/', 1) === idAt ? canonical.slice(0, idAt) + canonical.slice(idAt + 3) : canonical;
}

/** Finds the route. What does not exist is refused only by `refuseUnmatched`, so that it too counts against the rate limit. */
export function matchRoute(table: RouteTable): ApiMiddleware {
  return ({ req, state }, next) => {
    const match = table.match(req.method ?? '', state.path);
    if (match?.route) {
      state.route = match.route;
      state.params = match.params;
    } else {
      state.allowed = match?.allowed;
    }
    return next();
  };
}

/** 404 for an unknown path, 405 for a method the path does not have, and the plain answer to OPTIONS. */
export const refuseUnmatched: ApiMiddleware = (ctx, next) => {
  const { route, allowed } = ctx.state;
  if (route) return next();
  if (allowed === undefined) throw new ApiError('not_found', 'Nothing is found under this path.');
  const headers = { Allow: allowed };
  if (ctx.req.method !== 'OPTIONS') throw new ApiError('method_not_allowed', 'This path does not take this method.', { headers });
  send(ctx, { status: 204, headers });
  return Promise.resolve();
};
