import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { freePort } from '#test/support/free-port.ts';

/** A server that answers /health_check as the API does, and can be killed and started again on its port. */
export type WatchedApi = {
  readonly url: string;
  readonly start: () => Promise<void>;
  /** Ends it at once: connections are cut, the port refuses. */
  readonly kill: () => Promise<void>;
};

/**
 * @param status what it says of itself; `critical` is answered with 503
 */
export async function startWatchedApi(status: () => Promise<string> | string = () => 'healthy'): Promise<WatchedApi> {
  const port = await freePort();
  let server: Server | undefined;
  const start = async (): Promise<void> => {
    const started = createServer((_request, response) => void answer(response, status()));
    server = started;
    started.listen(port, '127.0.0.1');
    await once(started, 'listening');
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    kill: async () => {
      const running = server;
      server = undefined;
      if (!running) return;
      running.close();
      running.closeAllConnections();
      if (running.listening) await once(running, 'close');
    },
  };
}

async function answer(response: ServerResponse, status: Promise<string> | string): Promise<void> {
  const says = await status;
  response.writeHead(says === 'critical' ? 503 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: says, checks: {} }));
}
