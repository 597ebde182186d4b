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
  /** How often a prepared statement of that name has been run through the door. */
  readonly ran: (statement: string) => number;
  /**
   * Cuts the next connection that sends these words: before the database has heard them, or after it has done what they
   * say and before the client hears of that. Resolves then.
   */
  readonly cutAt: (words: string, when: 'before' | 'after') => Promise<void>;
};

export async function createDatabaseProxy(target: PostgresSettings): Promise<DatabaseProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let cut: { words: string; when: 'before' | 'after'; done: () => void } | undefined;
  const runs = new Map<string, number>();
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
    client.on('data', (chunk: Buffer) => {
      if (cut === undefined || !chunk.includes(cut.words)) {
        upstream.write(chunk);
        return;
      }
      const { when, done } = cut;
      cut = undefined;
      const end = (): void => {
        client.destroy();
        upstream.destroy();
        done();
      };
      if (when === 'before') end();
      else upstream.unpipe(client).once('data', end).resume().write(chunk);
    });
    upstream.pipe(client);
    let tail = '';
    client.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1');
      const last = text.lastIndexOf('\0');
      // Bind names the portal, which is empty here, and then the statement.
      for (const [, name = ''] of text.matchAll(/\0([a-z-]+)(?=\0)/g)) runs.set(name, (runs.get(name) ?? 0) + 1);
      tail = text.slice(last < 0 ? 0 : last);
    });
  });
  return {
    ran: (statement) => runs.get(statement) ?? 0,
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
    cutAt: (words, when) => {
      const { promise, resolve: done } = Promise.withResolvers<void>();
      cut = { words, when, done };
      return promise;
    },
  };
}
