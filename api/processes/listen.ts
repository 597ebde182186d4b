import { createServer, type Server } from 'node:net';
import { ConfigError, messageOf } from '#lib/errors.ts';

export type Address = {
  readonly host: string;
  readonly port: number;
  /** Names of the variables they come from. */
  readonly hostVariable: string;
  readonly portVariable: string;
};

/** Connections the kernel holds until they are accepted; `net.core.somaxconn` may bound it further. */
const backlog = 2_048;

/**
 * Whether workers listen each on a socket of its own, between which the kernel deals connections out. Elsewhere the
 * primary accepts and hands over; a connection on its way to a worker that has just died is then answered by nobody.
 */
const canShare = process.platform === 'linux';

export type ListenOptions = {
  /** True for one of several workers on the same address. */
  readonly isShared?: boolean;
};

/**
 * Resolves once the server listens.
 * @throws {ConfigError} with one line naming the port and the variable
 */
export function listen(server: Server, address: Address, { isShared = false }: ListenOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (err: NodeJS.ErrnoException): void => reject(new ConfigError([describe(err, address)], { cause: err }));
    server.once('error', onError);
    server.listen({ host: address.host, port: address.port, backlog, reusePort: isShared && canShare }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/**
 * Says before any process is started what would stop them all, another API on the same port included.
 * @throws {ConfigError} as `listen`
 */
export async function assertFree(address: Address): Promise<void> {
  const probe = createServer();
  await listen(probe, address);
  await new Promise((resolve) => probe.close(resolve));
}

function describe(err: NodeJS.ErrnoException, { host, port, hostVariable, portVariable }: Address): string {
  const { code = '' } = err;
  if (code === 'EADDRINUSE') {
    return `${portVariable}=${port}: port ${port} on ${host} is already in use; stop what uses it or choose another port`;
  }
  if (code === 'EACCES') return `${portVariable}=${port}: this account may not listen on port ${port}; choose a port above 1023`;
  if (unknownAddress.has(code)) return `${hostVariable}=${host}: this machine has no such address`;
  return `${portVariable}=${port}: cannot listen on ${host}:${port}: ${messageOf(err)}`;
}

const unknownAddress = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);
