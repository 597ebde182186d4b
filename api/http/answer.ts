import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';
import { explainConstraint } from '../db/constraints.ts';
import type { Database, TransactOptions, Tx } from '../db/tx.ts';
import { withTiming, type RequestTiming } from '../observe/request-timing.ts';
import { keepingValues, runAtOnce } from './at-once.ts';
import { isUnchanged } from './etag.ts';
import type { ApiMiddleware, Exchange } from './exchange.ts';
import { runOnce, type Claim, type ClaimedRequest, type OnceAnswer } from './idempotency.ts';
import type { InKeyTurn } from './key-turns.ts';
import type { RateLimit } from './rate-limit.ts';
import { isVersioned, readRequest } from './read-request.ts';
import type { PublicObject, Route, RouteRequest } from './route.ts';
import { send } from './send.ts';

export type AnswerDeps = {
  readonly database: Database;
  readonly claimOf: (request: ClaimedRequest) => Claim | undefined;
  /** Whether a change must say which state it was decided on. */
  readonly isIfMatchRequired: boolean;
  readonly inKeyTurn: InKeyTurn;
  readonly countTarget: RateLimit['countTarget'];
  /** The timing to keep for this caller's request; undefined for those who are not told. */
  readonly timingFor: (principal: Principal, startedAt: number) => RequestTiming | undefined;
};

/** Innermost: reads and checks the input, lets the route do its work, sends what it answers. */
export function answer({ database, claimOf, isIfMatchRequired, inKeyTurn, countTarget, timingFor }: AnswerDeps): ApiMiddleware {
  return async (ctx) => {
    const { state, req } = ctx;
    const route = state.route as Route;
    const input = readRequest(route, ctx);
    const { request, rawBody } = input instanceof Promise ? await input : input;
    if (isIfMatchRequired && isChange(route) && req.headers['if-match'] === undefined && !request.ifMatch)
      throw new ApiError('precondition_required', 'Say in If-Match, or as `version` in the body, which version is meant.');
    if (route.limitTarget) await countTarget(ctx, route.limitTarget(request.body));
    const { principal, ip: address } = state;
    const header = req.headers['idempotency-key'] as string | undefined;
    const claim = claimOf({ route, path: state.path, rawBody, principal, address, header });
    const timing = timingFor(principal, state.startedAt);
    state.timing = timing;
    const work = (): ReturnType<typeof perform> =>
      inKeyTurn(
        claim,
        () => request.signal,
        () => perform(database, route, request, { claim, isAwaited: () => !ctx.res.destroyed }),
      );
    const { status, headers: own, body, next } = timing ? await withTiming(timing, work) : await work();
    const headers = next === undefined ? own : { ...own, Link: `<${nextPage(state, next)}>; rel="next"` };
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    if (isRead && isUnchanged(req.headers['if-none-match'], headers['ETag'])) send(ctx, { status: 304, headers });
    else send(ctx, { status, headers, body });
  };
}

/** Of something that is there already, and has versions. Pure. */
export const isChange = (route: Route): boolean => route.method !== 'POST' && isVersioned(route);

/** The same list from a cursor on. @see https://www.rfc-editor.org/rfc/rfc8288 */
function nextPage({ path, search }: Exchange, cursor: string): string {
  const query = new URLSearchParams(search);
  query.delete('skip');
  query.set('cursor', cursor);
  return `${path}?${query.toString()}`;
}

/**
 * Does what a route says. A write is one transaction: the key claimed, the handler, the answer kept, commit; whatever
 * fails on the way leaves nothing behind.
 * @throws {ApiError} of the handler, or for a constraint of the route
 * @throws {ClientGoneError} when the client had left before its transaction began, or its question was sent
 * @throws {CommitUnknownError}
 */
export function perform(database: Database, route: Route, request: RouteRequest, given: Given): Promise<Performed> {
  if (route.write !== 'nothing') return performWrite(database, route, request, given);
  const db = given.isAwaited ? database.readFor(given.isAwaited) : database.read;
  // A route that writes nothing has declared a handler that asks for no more than `Db`.
  return route.handler(db as never, request, undefined).then((value) => present(route, value, route.next?.(value as never)));
}

type Given = { readonly claim: Claim | undefined; readonly isAwaited?: () => boolean };

async function performWrite(database: Database, route: Route, request: RouteRequest, { claim, isAwaited }: Given): Promise<Performed> {
  try {
    const prepared = await route.before?.(request, database.read);
    let refusal: ApiError | undefined;
    const work = async (tx: Tx): Promise<OnceAnswer> => {
      const value = await route.handler(tx, request, prepared);
      refusal = value instanceof ApiError ? value : undefined;
      if (refusal && claim) throw refusal;
      return refusal ? { status: 0, headers: {} } : present(route, value);
    };
    const written = await database.transact((tx) => runOnce(tx, claim, () => work(tx), route.foresee?.(request)), {
      isOnce: claim !== undefined,
      isAwaited,
      ...(claim ? atOnceOf(route, request, claim) : togetherOf(route, request)),
    });
    if (refusal) throw refusal;
    if (!route.after) return written;
    const shown = JSON.parse(written.body ?? '{}') as PublicObject;
    const secrets = await route.after(request, shown);
    return secrets ? { ...written, body: JSON.stringify({ ...shown, ...secrets }) } : written;
  } catch (err) {
    throw explainConstraint(route.constraints, err);
  }
}

/** Without a key nobody would ever find out whether a broken connection has done it. */
function atOnceOf(
  route: Route,
  request: RouteRequest,
  claim: Claim | undefined,
): Pick<TransactOptions<OnceAnswer>, 'atOnce' | 'together'> | undefined {
  if (!claim || !route.atOnce) return undefined;
  const asked = route.atOnce(request, keepingValues(claim, `/api/v1${route.path}/`, route.view.tag?.({ version: 1 }, '')));
  if (!asked) return undefined;
  const { many, values } = asked;
  const show = (row: unknown): OnceAnswer => present(route, row);
  return {
    atOnce: async (db) => {
      const row = await runAtOnce(db, asked);
      return row && show(row);
    },
    together: many && { many, values, show },
  };
}

/** A change whose kind goes together with others: it needs no key, since it is not begun before its connection is there, nor open before COMMIT. */
function togetherOf(route: Route, request: RouteRequest): Pick<TransactOptions<OnceAnswer>, 'together'> | undefined {
  const asked = route.together?.(request);
  return asked && { together: { many: asked.statement, values: asked.values, show: (row) => present(route, row) } };
}

/** `next`: the cursor of the page after a list. */
type Performed = OnceAnswer & { readonly next?: string | undefined };

function present({ path, status, view }: Route, value: unknown, next?: string): Performed {
  const body = view.json(value);
  const etag = body === undefined ? undefined : view.tag?.(value, body);
  const headers: Record<string, string> = {};
  if (status === 201) headers['Location'] = `/api/v1${path}/${String((value as { id_key: unknown }).id_key)}`;
  if (etag !== undefined) headers['ETag'] = etag;
  return { status, headers, body, owner: view.ownerOf?.(value), next };
}
