import type * as z from 'zod';
import type { Principal } from '../auth/principal.ts';
import type { Constraints } from '../db/constraints.ts';
import type { Asked, AtOnce, Db, Tx } from '../db/tx.ts';
import type { ApiError, ProblemCode } from '../errors.ts';
import type { SecurityEvent } from '../logs/security-line.ts';
import type { View } from './view.ts';

/** Who may call a route. Ownership of what it addresses is the handler's to check. */
export type Access = 'public' | readonly Exclude<Principal['kind'], 'anonymous'>[];

/** Which quota of the rate limit a route counts against. */
export type LimitClass = 'default' | 'login' | 'password_reset' | 'order_create' | 'client_create' | 'client_change' | 'review' | 'search';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * What a route does to the database: `nothing`; `plainly`: in one transaction; `once`: in one transaction that also keeps
 * the answer, so that the same Idempotency-Key never does it twice.
 */
export type Write = 'nothing' | 'plainly' | 'once';

export type RouteRequest<P = unknown, Q = unknown, B = unknown> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
  /** It came from, past trusted proxies. */
  readonly address: string;
  /** Versions allowed by If-Match; undefined without the header or with `*`. */
  readonly ifMatch: readonly number[] | undefined;
  /** Fires, with ClientGoneError, when the client has gone away. */
  readonly signal: AbortSignal;
  /** Tells security.log what happened, once the request is answered. @param account the client it concerns */
  readonly note: (event: SecurityEvent, account?: number) => void;
};

/** A route as a value: what it accepts, who may call it, what it does and what answers. Everything not named is refused. */
export type Route = {
  readonly method: Method;
  /** Below /api/v1, with parameters as `:name`, such as /products/:id. */
  readonly path: string;
  readonly access: Access;
  readonly limitClass: LimitClass;
  /** What the body aims at where that is limited too, written one way only: for a login the account. */
  readonly limitTarget: ((body: unknown) => string) | undefined;
  readonly summary: string;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  /** Members of the body that nothing derived from it may be kept of. */
  readonly secrets: readonly string[];
  readonly status: 200 | 201 | 204;
  readonly view: View<unknown>;
  /** Refusals of its own, beside those that any route may give. */
  readonly errors: readonly ProblemCode[];
  readonly constraints: Constraints;
  /** The cursor of the page after an answer; undefined where there is none. */
  readonly next: ((value: never) => string | undefined) | undefined;
  readonly write: Write;
  readonly before: ((request: RouteRequest, db: Db) => Promise<unknown>) | undefined;
  readonly foresee: ((request: RouteRequest) => Asked | undefined) | undefined;
  readonly atOnce: ((request: RouteRequest, keeping: readonly unknown[]) => AtOnce | undefined) | undefined;
  readonly together: ((request: RouteRequest) => Asked | undefined) | undefined;
  readonly handler: (db: Tx, request: RouteRequest, prepared: unknown) => Promise<unknown>;
  readonly after: ((request: RouteRequest, answer: PublicObject) => Promise<PublicObject | undefined | void>) | undefined;
  /** What `after` may add to the answer. */
  readonly joins: View<unknown> | undefined;
};

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

/** An answer's JSON as the client sees it. */
export type PublicObject = Readonly<Record<string, unknown>>;

type Answers<Value> =
  | { readonly 200: View<Value> }
  /** With Location: the path of the route and the `id_key` of what was made. */
  | { readonly 201: View<Value> }
  | { readonly 204: View<Value> };

type Definition<P, Q, B, Value> = {
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly limitClass?: LimitClass;
  readonly limitTarget?: (body: Parsed<B>) => string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answers: Answers<Value>;
  readonly errors?: readonly ProblemCode[];
};

type Schema = z.ZodType | undefined;

/** A route that changes nothing, on whichever connections are free. Its handler sees its input as the schemas parse it. */
export function read<P extends Schema, Q extends Schema, B extends Schema, Value>(
  definition: Definition<P, Q, B, Value> & {
    readonly method?: 'GET' | 'POST';
    /** For a list: the cursor of the page after this one, which a Link header then names; undefined when there is none. */
    readonly next?: (value: Value) => string | undefined;
    readonly handler: (db: Db, request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Value>;
  },
): Route {
  return complete({ method: 'GET', ...definition, write: 'nothing' });
}

/**
 * A route that writes. `before` runs ahead of the transaction, for what takes long; `foresee` names what the handler will
 * ask first, such as a lock, to be sent with what begins the transaction (see `Tx.foresee`); `atOnce` names one statement that
 * does all of it (see http/at-once), tried first where there is a key, together with others that wait for a connection where it says
 * how: its row is what the handler gives, and without a row the handler says why, or does it; `together` names, for a change without a
 * key, the statement that does the same for many that wait for a connection (see db/joined-writes), on the same terms; `handler` runs inside the transaction, again
 * from its start after a conflict: what it throws leaves nothing behind, while a refusal that it returns is committed with what it
 * did, which no `once` may; `after` once it is committed or found done: members that it returns, of the view `joins`, join the
 * answer and are kept nowhere, which is the place for secrets.
 */
export function write<P extends Schema, Q extends Schema, B extends Schema, Value, Prepared = undefined>(
  definition: Definition<P, Q, B, Value> & {
    readonly method: 'POST' | 'PUT' | 'DELETE';
    readonly write: 'once' | 'plainly';
    readonly secrets?: readonly string[];
    readonly constraints?: Constraints;
    readonly before?: (request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>, db: Db) => Promise<Prepared>;
    readonly foresee?: (request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>) => Asked | undefined;
    readonly atOnce?: (request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>, keeping: readonly unknown[]) => AtOnce | undefined;
    readonly together?: (request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>) => Asked | undefined;
    readonly handler: (tx: Tx, request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>, prepared: Prepared) => Promise<Value | ApiError>;
    readonly after?: (
      request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>>,
      answer: PublicObject,
    ) => Promise<PublicObject | undefined | void>;
    readonly joins?: View<never>;
  },
): Route {
  return complete(definition);
}

function complete({ answers, ...definition }: { readonly answers: object; readonly write: Write; readonly method: Method }): Route {
  const [[status, view] = []] = Object.entries(answers) as [string, View<unknown>][];
  return {
    limitClass: 'default',
    limitTarget: undefined,
    params: undefined,
    query: undefined,
    body: undefined,
    secrets: [],
    errors: [],
    constraints: {},
    next: undefined,
    before: undefined,
    foresee: undefined,
    atOnce: undefined,
    together: undefined,
    after: undefined,
    joins: undefined,
    ...definition,
    status: Number(status),
    view,
  } as unknown as Route;
}
