import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';

export async function start({ limit, periodMs, port, redis, trustedProxy }) {
  const app = fastify({ trustProxy: trustedProxy });
  await app.register(rateLimit, { max: limit, timeWindow: periodMs, enableDraftSpec: true, ...(redis && { redis }) });
  // So that paths that do not exist are limited too, as its readme shows.
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (_request, reply) => reply.code(404).send({}));
  app.get('/things', () => []);
  await app.listen({ port, host: '127.0.0.1' });
}
