import type { ApiContext, ApiMiddleware } from '../http/exchange.ts';
import { ApiError } from '../errors.ts';
import { canonicalPath } from '../http/match-route.ts';
import { send } from '../http/send.ts';
import type { HealthCheck } from './health-check.ts';

type HealthAnswer = { readonly status: 200 | 503; readonly body: unknown };
type Ask = (ctx: ApiContext) => HealthAnswer | Promise<HealthAnswer>;

/**
 * GET /livez, /readyz and /health_check. They are answered before rate limit, shedding and draining refuse anything,
 * since whoever asks must learn of just that.
 */
export function healthRoutes(check: HealthCheck): ApiMiddleware {
  const answers = new Map<string, Ask>([
    ['/livez', () => ({ status: 200, body: { status: 'alive' } })],
    ['/readyz', ({ app }) => readiness(check, app.isDraining())],
    ['/health_check', () => health(check)],
  ]);
  return (ctx, next) => {
    const answer = answers.get(ctx.state.path) ?? answers.get(canonicalPath(ctx.state.path));
    return answer ? respond(ctx, answer) : next();
  };
}

/** Whether a path, as sent, is one of these. */
export const isHealthPath = (path: string): boolean => healthPaths.has(canonicalPath(path));

const healthPaths = new Set(['/livez', '/readyz', '/health_check']);

async function respond(ctx: ApiContext, answer: Ask): Promise<void> {
  const { method } = ctx.req;
  if (method !== 'GET' && method !== 'HEAD') {
    const headers = { Allow: 'HEAD, GET, OPTIONS' };
    if (method !== 'OPTIONS') throw new ApiError('method_not_allowed', 'This path does not take this method.', { headers });
    send(ctx, { status: 204, headers });
    return;
  }
  const { status, body } = await answer(ctx);
  send(ctx, { status, body: JSON.stringify(body), headers: { 'Cache-Control': 'no-store' } });
}

/** Ready to take requests: not draining, and the database answers. */
async function readiness(check: HealthCheck, isDraining: boolean): Promise<HealthAnswer> {
  if (isDraining) return { status: 503, body: { status: 'draining' } };
  const { database } = (await check.report()).checks;
  return database.status === 'up' ? { status: 200, body: { status: 'ready' } } : { status: 503, body: { status: 'database_unavailable' } };
}

async function health(check: HealthCheck): Promise<HealthAnswer> {
  const report = await check.report();
  return { status: report.status === 'critical' ? 503 : 200, body: report };
}
