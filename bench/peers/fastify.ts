import Fastify, { type FastifyReply } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'pg';
import { placeOrder, readProduct, readProducts } from '../floor-handlers.ts';

/**
 * The requests of the bench on Fastify, as its users would write them, with the floor's handlers behind them.
 * @returns the port it listens on
 */
export async function listenByFastify(pool: Pool): Promise<number> {
  const app = Fastify();
  // The floor's handler reads the text of an order itself.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.get<{ Params: { id: string } }>('/api/v1/products/:id', async ({ params }, reply) =>
    show(reply, await readProduct(pool, Number(params.id))),
  );
  app.get('/api/v1/products', async ({ url }, reply) => show(reply, await readProducts(pool, queryOf(url), false)));
  app.get('/api/v1/products/filter', async ({ url }, reply) => show(reply, await readProducts(pool, queryOf(url), true)));
  app.post<{ Body: string }>('/api/v1/orders', async ({ body, headers }, reply) =>
    show(reply, await placeOrder(pool, body, String(headers['idempotency-key'])), 201),
  );
  await app.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
  return (app.server.address() as AddressInfo).port;
}

const show = (reply: FastifyReply, body: string, status = 200): FastifyReply => reply.code(status).type('application/json').send(body);
const queryOf = (url: string): URLSearchParams => new URLSearchParams(url.slice(url.indexOf('?') + 1));
