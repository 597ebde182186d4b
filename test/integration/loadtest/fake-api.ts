import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a fake shop answers one request; anything it leaves out is done rightly and at once. */
export type Behaviour = {
  readonly delayMs?: number;
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `reset` tears the connection, `fin` closes it politely before the answer, `half` after half of it; `hang` never answers. */
  readonly instead?: 'reset' | 'fin' | 'half' | 'hang';
};

export type FakeApi = {
  readonly origin: string;
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

/** A small shop on a free port that misbehaves as told. `behave` sees the request's number, from 0. */
export async function startFakeApi(behave: (number: number, url: string, method: string) => Behaviour = () => ({})): Promise<FakeApi> {
  const requests: FakeApi['requests'] = [];
  let connections = 0;
  const orders = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString('utf8');
      const number = requests.push({ method, url, headers, body }) - 1;
      const behaviour = behave(number, url, method);
      const answer = (): void =>
        respond(request.socket, response, rightAnswer(orders, method, url, body, headers['idempotency-key']), behaviour);
      if (behaviour.delayMs === undefined) answer();
      else setTimeout(answer, behaviour.delayMs);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, requests, connections: () => connections, close: () => close(server) };
}

function rightAnswer(orders: Map<string, number>, method: string, url: string, body: string, key: string | string[] | undefined) {
  if (method === 'POST') {
    const { lines = [] } = JSON.parse(body) as { lines?: unknown[] };
    const id = orders.get(String(key)) ?? orders.size + 1;
    orders.set(String(key), id);
    return { status: 201, body: JSON.stringify({ id_key: id, lines }) };
  }
  const id = /\/products\/(\d+)$/.exec(url)?.[1];
  return { status: 200, body: id === undefined ? '[]' : JSON.stringify({ id_key: Number(id) }) };
}

function respond(socket: Socket, response: ServerResponse, right: { status: number; body: string }, behaviour: Behaviour): void {
  if (behaviour.instead === 'hang') return;
  if (behaviour.instead === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  if (behaviour.instead === 'fin') {
    socket.end();
    return;
  }
  const body = behaviour.body ?? right.body;
  response.writeHead(behaviour.status ?? right.status, { 'content-length': Buffer.byteLength(body), ...behaviour.headers });
  if (behaviour.instead === 'half') {
    response.write(body.slice(0, Math.ceil(body.length / 2)));
    setTimeout(() => socket.end(), 5);
  } else response.end(body);
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
