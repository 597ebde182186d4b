import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import type { Recording } from './routes/record-routes.ts';
import { replay } from './routes/replay.ts';
import { placeOrder, readProduct, readProducts } from './floor-handlers.ts';
import { listenByFastify } from './peers/fastify.ts';

/** What the floor is started with, by message: the password stands neither in arguments nor in the environment. */
export type FloorJob = {
  readonly postgres: PostgresSettings;
  readonly processes: number;
  readonly poolMax: number;
  /** What stands between the requests and what is asked of the database. */
  readonly framework: 'none' | 'fastify';
  /** Given, requests are answered as these were, and no others. */
  readonly recordings?: readonly Recording[];
};

/**
 * A bare server: node:http, pg, a few requests, nothing else. No credentials, no limit, no logs, no checks. As many
 * processes and connections as the API has. This file is what start-floor forks, and what it forks in turn.
 */
function runPrimary(job: FloorJob): void {
  let ready = 0;
  for (let i = 0; i < job.processes; i += 1) cluster.fork().send(job);
  cluster.on('message', (_worker, message: { port: number }) => {
    ready += 1;
    if (ready === job.processes) process.send?.(message);
  });
}

async function runWorker({ postgres, poolMax, framework, recordings }: FloorJob): Promise<void> {
  const pool = new Pool({ ...clientOptions(postgres, 'atalaya-floor'), max: poolMax });
  pool.on('error', () => {});
  process.send?.({ port: framework === 'fastify' ? await listenByFastify(pool) : await listenBare(pool, recordings) });
}

async function listenBare(pool: Pool, recordings: FloorJob['recordings']): Promise<number> {
  const server = createServer((request, response) => {
    (recordings ? replay(pool, recordings, request) : answer(pool, request)).then(
      ([status, body]) => send(response, status, body),
      () => send(response, 500, '{}'),
    );
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function answer(pool: Pool, request: IncomingMessage): Promise<[number, string]> {
  if (request.method === 'GET') {
    const [path = '', query] = (request.url ?? '').split('?');
    if (query !== undefined) return [200, await readProducts(pool, new URLSearchParams(query), path.endsWith('/filter'))];
    return [200, await readProduct(pool, Number(/(\d+)$/.exec(path)?.[1]))];
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return [201, await placeOrder(pool, Buffer.concat(chunks).toString('utf8'), String(request.headers['idempotency-key']))];
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.once('message', (job: FloorJob) => (cluster.isPrimary ? runPrimary(job) : void runWorker(job)));
