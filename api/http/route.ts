import type * as z from 'zod';
import type { Principal } from '../auth/principal.ts';

/** Who may call a route. Ownership of what it addresses is the handler's to check. */
export type Access = 'public' | readonly Exclude<Principal['kind'], 'anonymous'>[];

/** Which quota of the rate limit a route counts against. */
export type LimitClass = 'default' | 'login' | 'order_create' | 'client_create' | 'search';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export type RouteRequest<P, Q, B> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
  readonly requestId: string;
  /** Version demanded by If-Match; undefined without the header or with `*`. */
  readonly ifMatch: number | undefined;
  /** Value of Idempotency-Key with the fingerprint of this request; undefined without the header. */
  readonly idempotency: IdempotencyRequest | undefined;
  /** Fires when the client has gone away. */
  readonly signal: AbortSignal;
};

export type IdempotencyRequest = {
  readonly key: string;
  /** SHA-256 over method, route and canonical body. */
  readonly fingerprint: string;
};

export type Reply = {
  readonly status: 200 | 201 | 204;
  /** JSON, already presented: the public shape and nothing else. Absent for 204. A string is sent as JSON text as is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A route as a value: what it accepts, who may call it, and what answers. Everything not named is refused. */
export type Route = {
  readonly method: Method;
  /** Below /api/v1, with parameters as `:name`, such as /products/:id. */
  readonly path: string;
  readonly access: Access;
  readonly limitClass: LimitClass;
  /** What the body aims at where that is limited too, written one way only: for a login the account. */
  readonly limitTarget: ((body: unknown) => string) | undefined;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly summary: string;
  readonly handler: (request: RouteRequest<unknown, unknown, unknown>) => Promise<Reply>;
};

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Makes a route whose handler sees its input typed as parsed by the schemas given. Without a schema: nothing allowed. */
export function route<P extends z.ZodType | undefined, Q extends z.ZodType | undefined, B extends z.ZodType | undefined>(definition: {
  readonly method: Method;
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly limitClass?: LimitClass;
  readonly limitTarget?: (body: Parsed<B>) => string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly handler: (request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Reply>;
}): Route {
  return {
    limitClass: 'default',
    params: undefined,
    query: undefined,
    body: undefined,
    ...definition,
    limitTarget: definition.limitTarget as Route['limitTarget'],
    handler: definition.handler as Route['handler'],
  };
}
