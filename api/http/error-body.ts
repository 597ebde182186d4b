import type { Logger } from '#lib/logger.ts';
import { messageOf } from '#lib/errors.ts';
import { ClientGoneError, problemTypes, type ProblemCode } from '../errors.ts';
import type { ApiContext, ApiMiddleware } from './exchange.ts';
import { problemDocument, toProblem } from './problem.ts';
import { send } from './send.ts';

/** The one place where errors become answers: known ones by their code, all others as a bare 500 with a full log line. */
export function errorBody(logger: Logger): ApiMiddleware {
  const logOutage = createOutageLog(logger);
  const answerError = (ctx: ApiContext, err: unknown): void => {
    if (err instanceof ClientGoneError) {
      ctx.respond = false;
      ctx.state.status = 499;
      return;
    }
    const { error, nature } = toProblem(err);
    if (nature === 'defect') logger.error({ ...requestFields(ctx), err }, 'request failed');
    if (nature === 'outage') logOutage(ctx, error.code, err);
    const body = problemDocument(error, ctx.state.requestId);
    send(ctx, { status: problemTypes[error.code].status, body, contentType: 'application/problem+json', headers: error.headers });
  };
  return (ctx, next) => next().catch((err: unknown) => answerError(ctx, err));
}

const requestFields = (ctx: ApiContext) => ({
  request_id: ctx.state.requestId,
  trace_id: ctx.state.trace?.traceId,
  span_id: ctx.state.trace?.spanId,
  method: ctx.req.method,
  route: ctx.state.route?.path ?? ctx.state.path,
});

/** While something is out, every request fails alike: one line a second for each code, with the number of the others. */
function createOutageLog(logger: Logger): (ctx: ApiContext, code: ProblemCode, err: unknown) => void {
  const lastLines = new Map<string, { atMs: number; unsaid: number }>();
  return (ctx, code, err) => {
    const last = lastLines.get(code) ?? { atMs: -Infinity, unsaid: 0 };
    const nowMs = performance.now();
    if (nowMs - last.atMs < 1_000) {
      last.unsaid += 1;
      return;
    }
    lastLines.set(code, { atMs: nowMs, unsaid: 0 });
    const reason = messageOf(err);
    logger.error(
      { ...requestFields(ctx), code, reason, ...(last.unsaid > 0 ? { unsaid: last.unsaid } : {}) },
      'request failed for want of the database',
    );
  };
}
