import { Router } from '@koa/router';
import type { ApiMiddleware } from './exchange.ts';
import { RequestRefusedError } from './http-errors.ts';
import type { Route } from './route.ts';
import { send, type ConnectionPolicy } from './send.ts';

export type Match =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path exists, but not for this method. `allowed` as in the Allow header. */
  | { readonly route: undefined; readonly allowed: string };

export type RouteTable = { readonly match: (method: string, path: string) => Match | undefined };

/**
 * The routes by their canonical path below /api/v1.
 * @throws when two routes have the same method and path
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const router = new Router({ strict: true, sensitive: true });
  const routeOf = new Map<object, Route>();
  const seen = new Set<string>();
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    if (seen.has(name)) throw new Error(`the route ${name} is defined twice`);
    seen.add(name);
    routeOf.set(
      router.register(route.path, [route.method], () => undefined),
      route,
    );
  }
  return {
    match: (method, path) => {
      const canonical = canonicalPath(path);
      const found = router.match(canonical, method);
      if (found.path.length === 0) return undefined;
      // /products/filter and /products/:id both match /products/filter: the one with fewer parameters is meant.
      let layer = found.pathAndMethod[0];
      for (const other of found.pathAndMethod) if (layer && other.paramNames.length < layer.paramNames.length) layer = other;
      if (!layer) return { route: undefined, allowed: [...new Set(found.path.flatMap(({ methods }) => methods))].join(', ') };
      const params = layer.paramNames.length === 0 ? noParams : layer.params(canonical, layer.captures(canonical));
      return { route: routeOf.get(layer) as Route, params };
    },
  };
}

const noParams: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The path a route is registered under. `/api/v1` and a trailing slash may be left out or not, and `/{resource}/id/{id}`
 * is `/{resource}/{id}`: all answer alike, without a redirect.
 */
export function canonicalPath(path: string): string {
  let canonical = path.startsWith('/api/v1/') ? path.slice(7) : path;
  if (canonical.length > 1 && canonical.endsWith('/')) canonical = canonical.slice(0, -1);
  const idAt = canonical.indexOf('/id/');
  return idAt > 0 && canonical.indexOf('/', 1) === idAt ? canonical.slice(0, idAt) + canonical.slice(idAt + 3) : canonical;
}

/** Finds the route. What does not exist is refused only by `refuseUnmatched`, so that it too counts against the rate limit. */
export function matchRoute(table: RouteTable): ApiMiddleware {
  return (ctx, next) => {
    const match = table.match(ctx.req.method ?? '', ctx.state.path);
    if (match?.route) {
      ctx.state.route = match.route;
      ctx.state.params = match.params;
    } else if (match) {
      ctx.state.headers.push('Allow', match.allowed);
    }
    return next();
  };
}

/** 404 for an unknown path, 405 for a method the path does not have, and the plain answer to OPTIONS. */
export function refuseUnmatched(connections: ConnectionPolicy): ApiMiddleware {
  return (ctx, next) => {
    const { route, headers } = ctx.state;
    if (route) return next();
    if (!headers.includes('Allow')) throw new RequestRefusedError('not_found', 'Nothing is found under this path.');
    if (ctx.req.method !== 'OPTIONS') throw new RequestRefusedError('method_not_allowed', 'This path does not take this method.');
    send(ctx, { status: 204 }, connections);
    return Promise.resolve();
  };
}
