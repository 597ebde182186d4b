import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../auth/principal.ts';
import { ApiError, ClientGoneError, type FieldError } from '../errors.ts';
import { versionsFromIfMatch } from './etag.ts';
import type { ApiContext, Exchange } from './exchange.ts';
import { hasBody, readJsonBody } from './read-body.ts';
import type { Route, RouteRequest } from './route.ts';
import { validateInput } from './validate.ts';

export type ReadRequest = {
  readonly request: RouteRequest;
  /** The body as sent. */
  readonly rawBody: unknown;
};

/**
 * The request as its route's schemas parse it; at once where there is no body to wait for.
 * @throws {ApiError} naming what cannot be accepted
 */
export function readRequest(route: Route, { state, req, res }: ApiContext): ReadRequest | Promise<ReadRequest> {
  const { expect = '100-continue' } = req.headers;
  if (expect.toLowerCase() !== '100-continue') throw new ApiError('expectation_failed', 'Nothing but 100-continue can be expected.');
  const params = readParams(route, state);
  const query = route.query ? validateInput(route.query, readQuery(state.search), 'query') : refuseQuery(state.search);
  const withBody = (rawBody: unknown): ReadRequest => {
    const sent = withoutVersion(route, withoutOwnId(route, rawBody, params));
    const body = validateInput(route.body, sent.body, 'body');
    const named = route.method === 'GET' ? undefined : versionsFromIfMatch(req.headers['if-match']);
    if (named && !isVersioned(route))
      throw new ApiError('version_mismatch', 'What this changes has no entity tag that If-Match could name.');
    const ifMatch = bothAllow(named, sent.version);
    return { request: new Input({ params, query, body, ifMatch }, state, res), rawBody };
  };
  return route.body ? readJsonBody(req).then(withBody) : withBody(refuseBody(req));
}

/** Whether a route changes a thing of which If-Match can name the version. Pure. */
export const isVersioned = ({ errors }: Pick<Route, 'errors'>): boolean => errors.includes('version_mismatch');

/**
 * A class, for the sake of memory: an object literal with a getter gets a shape of its own for every request, and the shape
 * keeps the whole request until the next full collection.
 */
class Input implements RouteRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly principal: Principal;
  readonly ifMatch: readonly number[] | undefined;
  readonly #state: Exchange;
  readonly #res: ServerResponse;
  #signal: AbortSignal | undefined = undefined;

  constructor(
    { params, query, body, ifMatch }: Pick<RouteRequest, 'params' | 'query' | 'body' | 'ifMatch'>,
    state: Exchange,
    res: ServerResponse,
  ) {
    this.params = params;
    this.query = query;
    this.body = body;
    this.principal = state.principal;
    this.ifMatch = ifMatch;
    this.#state = state;
    this.#res = res;
  }

  get address(): string {
    return this.#state.ip;
  }

  /** Made only for the few handlers that listen to it. */
  get signal(): AbortSignal {
    return (this.#signal ??= signalOfGone(this.#res));
  }

  /** Made only for the few handlers that tell something. */
  get note(): RouteRequest['note'] {
    return (event, account) => this.#state.note(event, account);
  }
}

function signalOfGone(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (res.destroyed) gone.abort(new ClientGoneError());
  res.once('close', () => {
    if (!res.writableFinished) gone.abort(new ClientGoneError());
  });
  return gone.signal;
}

function readParams(route: Route, state: Exchange): unknown {
  for (const [name, value] of Object.entries(state.params)) {
    if (value.includes('\0')) throw refused('path', name, 'is not valid');
  }
  return validateInput(route.params, state.params, 'params');
}

/**
 * A query as an object of texts, for a schema to read.
 * @throws validation_failed for a parameter given twice, and for NUL characters, which PostgreSQL cannot store
 */
export function readQuery(search: string): Readonly<Record<string, string>> {
  if (search === '') return {};
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (query.has(name)) throw refused('query', name, 'is given more than once');
    if (value.includes('\0') || name.includes('\0')) throw refused('query', name.replaceAll('\0', ''), 'must not contain NUL characters');
    query.set(name, value);
  }
  return Object.fromEntries(query);
}

/** Refuses any parameter: for routes without a query. */
export function refuseQuery(search: string): undefined {
  if (search === '') return;
  const errors: FieldError[] = Object.keys(readQuery(search)).map((pointer) => ({ pointer, message: 'is not known here' }));
  if (errors.length > 0) throw new ApiError('validation_failed', 'This route takes no query.', { errors });
}

function refuseBody(req: IncomingMessage): undefined {
  if (!hasBody(req)) return;
  const message = 'This route takes no body.';
  throw new ApiError('validation_failed', message, { errors: [{ pointer: '', message }] });
}

/**
 * What is changed may be sent back whole, with the id it was read with.
 * @throws validation_failed when that is not the id in the path
 */
export function withoutOwnId(route: Pick<Route, 'method'>, body: unknown, params: unknown): unknown {
  if (route.method !== 'PUT' || typeof body !== 'object' || body === null || !Object.hasOwn(body, 'id_key')) return body;
  const { id_key: id, ...changes } = body as Record<string, unknown>;
  const isText = typeof id === 'string' && /^\d+$/.test(id);
  if ((isText ? Number(id) : id) === (params as { id?: unknown } | undefined)?.id) return changes;
  throw refused('body', '/id_key', 'is not the id in the path');
}

/**
 * What is changed may be sent back with the `version` it was read with, which then counts as one that If-Match names. Pure.
 * @throws validation_failed when that is no version
 */
export function withoutVersion(
  route: Pick<Route, 'method' | 'errors'>,
  body: unknown,
): { readonly body: unknown; readonly version: number | undefined } {
  const isOwn = route.method === 'PUT' && isVersioned(route) && typeof body === 'object' && body !== null && Object.hasOwn(body, 'version');
  if (!isOwn) return { body, version: undefined };
  const { version: given, ...changes } = body as Record<string, unknown>;
  const version = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
  if (!Number.isSafeInteger(version) || (version as number) < 1) throw refused('body', '/version', 'must be a whole number from 1');
  return { body: changes, version: version as number };
}

/** @throws version_mismatch when header and body name different versions: no state of the thing could satisfy both */
function bothAllow(named: readonly number[] | undefined, version: number | undefined): readonly number[] | undefined {
  if (version === undefined) return named;
  if (named && !named.includes(version))
    throw new ApiError('version_mismatch', 'If-Match and the `version` in the body name different versions.');
  return [version];
}

function refused(part: 'path' | 'query' | 'body', pointer: string, message: string): ApiError {
  return new ApiError('validation_failed', `The ${part} cannot be accepted.`, { errors: [{ pointer, message }] });
}
