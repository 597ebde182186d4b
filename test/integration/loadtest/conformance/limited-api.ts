import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Declared } from '#loadtest/conformance/exchange.ts';
import { exact, type Parts } from '#test/unit/loadtest/conformance/simulated-api.ts';

export type LimitedApi = {
  readonly origin: string;
  /** Settles when it is asked for the first time. */
  readonly asked: Promise<unknown>;
  readonly close: () => Promise<void>;
};

/** A real server around the limiter of the simulation, with some of its parts replaced; clients are told apart by X-Client. */
export async function startLimitedApi(declared: Declared, changed: Partial<Parts> = {}): Promise<LimitedApi> {
  const parts = { ...exact, ...changed };
  const limiter = parts.limiter(declared);
  const server = createServer(({ method = '', url = '', headers }, response) => {
    const request = { client: 0, method, path: url, variation: { headers: headers as Record<string, string> } };
    const decision = limiter(String(headers['x-client']), performance.now());
    for (const [name, value] of Object.entries(parts.fields(decision, declared, request))) response.setHeader(name, value);
    if (decision.isAllowed) {
      response.writeHead(url.startsWith(declared.path) ? 200 : 404).end();
      return;
    }
    const { status, body, type } = parts.refusal(decision, declared);
    response.writeHead(status, { 'content-type': type }).end(method === 'HEAD' ? undefined : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked: once(server, 'request'),
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
