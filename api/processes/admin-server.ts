import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '#lib/logger.ts';
import type { Reopened } from './ask-workers.ts';

export type AdminDeps = {
  /** Undefined: nothing but /livez is answered. */
  readonly token: string | undefined;
  /** Opens /metrics only. */
  readonly metricsToken: string | undefined;
  /** Prometheus text of all workers. @param names only these of their metrics; absent: all */
  readonly metrics: (names?: readonly string[]) => Promise<string>;
  /** Effective settings, without secrets. */
  readonly config: () => unknown;
  /** Begins the drain; the process exits when it is done. */
  readonly drain: () => void;
  /** Reopens the log files of every process. */
  readonly reopenLogs: () => Promise<Reopened>;
  readonly logger: Logger;
};

type AdminAnswer = {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Record<string, string>;
};

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

/** The listener for those who run the API; bind it to loopback or an internal network only. */
export function createAdminServer(deps: AdminDeps): Server {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (req, res) => {
    answer(deps, req).then(
      (reply) => write(res, reply),
      (err: unknown) => {
        deps.logger.error({ err }, 'admin request failed');
        write(res, problem(500, 'internal', 'The request failed.'));
      },
    );
  });
  return server;
}

async function answer(deps: AdminDeps, req: IncomingMessage): Promise<AdminAnswer> {
  const [path, query] = (req.url ?? '/').split('?');
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  if (path === '/livez') return isRead ? json(200, { status: 'alive' }) : notAllowed('GET, HEAD');
  const { authorization } = req.headers;
  const mayRead = path === '/metrics' && isAuthorized(deps.metricsToken, authorization);
  if (!mayRead && !isAuthorized(deps.token, authorization)) {
    const detail = deps.token === undefined ? 'ADMIN_TOKEN is not set.' : 'This needs "Authorization: Bearer <ADMIN_TOKEN>".';
    return { ...problem(401, 'unauthenticated', detail), headers: { 'WWW-Authenticate': 'Bearer' } };
  }
  if (path === '/metrics') {
    return isRead ? { status: 200, body: await deps.metrics(namesIn(query)), contentType: prometheusText } : notAllowed('GET, HEAD');
  }
  if (path === '/config') return isRead ? json(200, deps.config()) : notAllowed('GET, HEAD');
  if (path !== '/drain' && path !== '/logs/reopen') {
    return problem(404, 'not_found', 'Known here: GET /livez, GET /metrics, GET /config, POST /logs/reopen, POST /drain.');
  }
  if (req.method !== 'POST') return notAllowed('POST');
  if (path === '/logs/reopen') {
    const reopened = await deps.reopenLogs();
    // Whoever rotates must not take the files for closed.
    return json(reopened.silent.length === 0 ? 200 : 503, reopened);
  }
  deps.drain();
  return json(202, { status: 'draining' });
}

/** What `?name[]=` asks for, as other exporters have it: who looks ten times a second need not be told everything. */
function namesIn(query: string | undefined): readonly string[] | undefined {
  const names = new URLSearchParams(query).getAll('name[]');
  return names.length === 0 ? undefined : names;
}

/** Compares digests, so that neither content nor length of the token shows in the time it takes. */
function isAuthorized(token: string | undefined, authorization: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined || given === undefined) return false;
  return timingSafeEqual(digest(token), digest(given));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const json = (status: number, body: unknown): AdminAnswer => ({ status, body: JSON.stringify(body) });

function problem(status: number, code: string, detail: string): AdminAnswer {
  return { status, body: JSON.stringify({ type: `/problems/${code}`, status, code, detail }), contentType: 'application/problem+json' };
}

const notAllowed = (allow: string): AdminAnswer => ({
  ...problem(405, 'method_not_allowed', `This path takes ${allow}.`),
  headers: { Allow: allow },
});

function write(res: ServerResponse, { status, body, contentType = 'application/json', headers }: AdminAnswer): void {
  res.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  res.end(body);
}
