import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { RedisStore } from 'rate-limit-redis';

/** As its readme shows it, behind one proxy. */
export function start({ limit, periodMs, port, redis, trustedProxy }) {
  const app = express();
  app.set('trust proxy', trustedProxy);
  app.use(
    rateLimit({
      windowMs: periodMs,
      limit,
      standardHeaders: 'draft-8',
      legacyHeaders: true,
      ...(redis && { store: new RedisStore({ sendCommand: (command, ...args) => redis.call(command, ...args) }) }),
    }),
  );
  app.get('/things', (_req, res) => res.json([]));
  return app.listen(port, '127.0.0.1');
}
