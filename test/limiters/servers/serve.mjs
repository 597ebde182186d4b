import cluster from 'node:cluster';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** node serve.mjs FILE EXPORT: one limiter on PORT, by as many processes as WORKERS; says "ready" once all of them listen. */
const [file, name] = process.argv.slice(2);
const { LIMIT, PERIOD_MS, PORT, REDIS_PORT, WORKERS = '1' } = process.env;
const workers = Number(WORKERS);

if (cluster.isPrimary && workers > 1) {
  let ready = 0;
  cluster.on('listening', () => {
    ready += 1;
    if (ready === workers) process.stdout.write('ready\n');
  });
  for (let worker = 0; worker < workers; worker += 1) cluster.fork();
} else {
  const options = {
    limit: Number(LIMIT),
    periodMs: Number(PERIOD_MS),
    port: Number(PORT),
    trustedProxy: '127.0.0.1',
    redis: REDIS_PORT ? await connect(Number(REDIS_PORT)) : undefined,
  };
  const { [name]: start } = await import(`./${file}`);
  await start(options);
  if (workers === 1) await untilAccepting(options.port);
}

/** As the readme of @fastify/rate-limit recommends, for all: without it most of them would wait for Redis for ever. */
async function connect(port) {
  const { Redis } = await import('ioredis');
  return new Redis({ port, host: '127.0.0.1', connectTimeout: 500, maxRetriesPerRequest: 1 }).on('error', () => {});
}

async function untilAccepting(port) {
  const accepts = () =>
    new Promise((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  while (!(await accepts())) await sleep(20);
  process.stdout.write('ready\n');
}
