import { createConnection, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { PostgresSettings } from '#lib/settings.ts';
import { freePort } from '#test/support/free-port.ts';

/** A door to the database that can be closed and opened: to its clients, the database is down or up. */
export type DatabaseProxy = {
  /** Leads through the door. */
  readonly settings: PostgresSettings;
  readonly open: () => Promise<void>;
  /** Cuts every connection and refuses new ones. */
  readonly close: () => Promise<void>;
};

export async function createDatabaseProxy(target: PostgresSettings): Promise<DatabaseProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection(target.POSTGRES_PORT, target.POSTGRES_HOST);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.pipe(upstream).pipe(client);
  });
  return {
    settings: { ...target, POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: port },
    open: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
