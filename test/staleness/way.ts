import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A way to the database on which answers can be held back while questions go through: what is asked then has its snapshot, and
 * whoever asks has no answer yet. A read that joined it would be shown the past.
 */
export type Way = {
  readonly port: number;
  /** Holds back the answers of all connections that are open. */
  readonly hold: () => void;
  readonly letGo: () => void;
  readonly close: () => Promise<void>;
};

/** @param port of the database, on this machine */
export async function openWay(port: number): Promise<Way> {
  const far = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const database = connect({ port, host: '127.0.0.1', noDelay: true });
    far.add(database);
    near.on('data', (bytes) => database.write(bytes));
    database.on('data', (bytes) => near.write(bytes));
    // A worker that is killed takes its connections with it, and who ends one does so on both sides.
    for (const [one, other] of [
      [near, database],
      [database, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        far.delete(database);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => far.forEach((database) => database.pause()),
    letGo: () => far.forEach((database) => database.resume()),
    close: async () => {
      for (const database of far) database.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
