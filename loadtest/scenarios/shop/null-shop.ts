import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A list as long as the shop's own pages, so that reading it costs the client the same. */
const listBody = JSON.stringify(
  Array.from({ length: 20 }, (_, i) => ({
    id_key: i + 1,
    name: `Nothing number ${i + 1}`,
    description: 'Stands where a product would: as long as a product usually is, and as quick as nothing at all.',
    price: 19.9,
    stock: 100,
    category_id: 1,
    version: 1,
  })),
);

let lastOrder = 0;

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => send(response, 201, orderBody(Buffer.concat(chunks).toString('utf8'))));
    return;
  }
  const id = /\/products\/(\d+)$/.exec(request.url ?? '')?.[1];
  send(
    response,
    200,
    id === undefined ? listBody : `{"id_key":${id},"name":"Nothing","price":19.90,"stock":100,"category_id":1,"version":1}`,
  );
}

function orderBody(text: string): string {
  const { lines = [] } = JSON.parse(text) as { lines?: unknown[] };
  lastOrder += 1;
  return JSON.stringify({ id_key: lastOrder, total: 19.9, status: 1, lines });
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'server-timing': 'app;dur=0',
  });
  response.end(body);
}

/**
 * A process of its own, which ends with its parent: this file is what a calibration forks. It answers every request of a
 * journey rightly and at once, doing nothing: what remains is the client's own time.
 */
const server = createServer(answer);
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ origin: `http://127.0.0.1:${port}` });
});
process.on('disconnect', () => {
  server.closeAllConnections();
  server.close();
});
