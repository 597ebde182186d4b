import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { rateLimiter } from 'hono-rate-limiter';

const keyGenerator = (context) => getConnInfo(context).remote.address;

export function start({ limit, periodMs, port }) {
  const app = new Hono();
  app.use(rateLimiter({ windowMs: periodMs, limit, standardHeaders: 'draft-7', keyGenerator }));
  app.get('/things', (context) => context.json([]));
  return serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
}
