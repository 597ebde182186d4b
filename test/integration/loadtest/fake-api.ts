import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a fake shop answers one request; anything it leaves out is done rightly and at once. */
export type Behaviour = {
  readonly delayMs?: number;
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Says yes to an order and does not keep it. */
  readonly forget?: true;
  /** `reset` tears the connection, `fin` closes it politely before the answer, `half` after half of it; `hang` never answers. */
  readonly instead?: 'reset' | 'fin' | 'half' | 'hang';
};

export type FakeRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type FakeApi = {
  readonly origin: string;
  /** What virtual users have asked for; set-up and clean-up stand apart. */
  readonly requests: FakeRequest[];
  readonly connections: () => number;
  /** Accounts made and not deleted. */
  readonly accounts: () => number;
  readonly close: () => Promise<void>;
};

/** Sees a request of a virtual user and its number, from 0. */
export type Behave = (number: number, request: FakeRequest) => Behaviour;

/** A small shop on a free port that serves a whole load test and misbehaves toward virtual users as told. */
export async function startFakeApi(behave: Behave = () => ({})): Promise<FakeApi> {
  const shop = createShop();
  const requests: FakeRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      const isUsers = headers.authorization !== undefined && !url.includes('limit=1000');
      const behaviour = isUsers ? behave(requests.push(request) - 1, request) : {};
      const answer = (): void => respond(incoming.socket, response, shop.answer(request, behaviour.forget), behaviour);
      if (behaviour.delayMs === undefined) answer();
      else setTimeout(answer, behaviour.delayMs);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    accounts: () => shop.accounts.size,
    close: () => close(server),
  };
}

type RightAnswer = { readonly status: number; readonly body: string };

const json = (status: number, body: unknown): RightAnswer => ({ status, body: JSON.stringify(body) });

function createShop() {
  const accounts = new Set<number>();
  /** Idempotency-Key → order and whose it is. */
  const orders = new Map<string, { readonly id: number; readonly owner: string }>();
  let lastAccount = 0;
  let lastForgotten = 0;

  const place = ({ headers, body }: FakeRequest, forget: boolean): RightAnswer => {
    const { lines = [] } = JSON.parse(body) as { lines?: unknown[] };
    const key = String(headers['idempotency-key']);
    const order = orders.get(key) ?? { id: orders.size + 1, owner: headers.authorization ?? '' };
    if (forget) return json(201, { id_key: 1_000_000 + (lastForgotten += 1), lines });
    orders.set(key, order);
    return json(201, { id_key: order.id, lines });
  };
  const register = (): RightAnswer => {
    accounts.add((lastAccount += 1));
    return json(201, { id_key: lastAccount, access_token: `token-${lastAccount}` });
  };

  return {
    accounts,
    answer: (request: FakeRequest, forget = false): RightAnswer => {
      const path = request.url.split('?')[0] ?? '';
      const id = Number(/\/(\d+)$/.exec(path)?.[1]);
      if (request.method === 'DELETE') return accounts.delete(id) ? json(204, '') : json(404, {});
      if (request.method === 'POST') return path.endsWith('/clients') ? register() : place(request, forget);
      if (!Number.isNaN(id)) return json(200, { id_key: id });
      if (path.endsWith('/orders'))
        return json(
          200,
          [...orders.values()].filter(({ owner }) => owner === request.headers.authorization),
        );
      if (path.endsWith('/products'))
        return json(
          200,
          Array.from({ length: 20 }, (_, i) => ({ id_key: i + 1, name: 'Reading lamp', stock: 1_000 })),
        );
      return json(200, [{ id_key: 1 }]);
    },
  };
}

function respond(socket: Socket, response: ServerResponse, right: RightAnswer, behaviour: Behaviour): void {
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
