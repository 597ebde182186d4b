import Koa from 'koa';
import ratelimit from 'koa-ratelimit';
import koa2Ratelimit from 'koa2-ratelimit';

const things = (ctx, next) => (ctx.path === '/things' ? void (ctx.body = []) : next());

/** Koa believes X-Forwarded-For from everybody or nobody: here from nobody. */
export function startKoaRatelimit({ limit, periodMs, port, redis }) {
  const app = new Koa();
  app.use(ratelimit({ driver: redis ? 'redis' : 'memory', db: redis ?? new Map(), duration: periodMs, max: limit }));
  return app.use(things).listen(port, '127.0.0.1');
}

export function startKoa2Ratelimit({ limit, periodMs, port }) {
  const app = new Koa();
  app.use(koa2Ratelimit.RateLimit.middleware({ interval: periodMs, max: limit }));
  return app.use(things).listen(port, '127.0.0.1');
}
