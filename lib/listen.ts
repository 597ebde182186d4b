import { createServer, type AddressInfo, type Server } from 'node:net';
import { ConfigError, messageOf } from './errors.ts';

export type ListenAddress = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Name of the variable the port comes from, such as API_PORT. */
  readonly portVariable: string;
  /** Likewise of the host. */
  readonly hostVariable: string;
};

type ListenOptions = {
  /** True for one of several processes on the same address, each with a socket of its own; heeded where the system can. */
  readonly isShared?: boolean;
};

/** Connections the kernel holds until they are accepted; `net.core.somaxconn` may bound it further. */
const backlog = 2_048;

/** Elsewhere than on Linux the kernel does not deal connections out between sockets of one address. */
const canShare = process.platform === 'linux';

/**
 * Resolves once the server listens.
 * @throws {ConfigError} with one line: the port and its variable, what is wrong and how to mend it
 */
export function listen(server: Server, address: ListenAddress, { isShared = false }: ListenOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (err: NodeJS.ErrnoException): void => reject(new ConfigError([listenProblem(err, address)], { cause: err }));
    server.once('error', onError);
    server.listen({ host: address.host, port: address.port, backlog, exclusive: !isShared, reusePort: isShared && canShare }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/** Lets a server listen on a free port of 127.0.0.1. @returns its origin, such as `http://127.0.0.1:40123` */
export async function listenOnFreePort(server: Server): Promise<string> {
  await listen(server, { host: '127.0.0.1', port: 0, hostVariable: 'host', portVariable: 'port' });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Says before anything is started what would stop it, another run on the same port included.
 * @throws {ConfigError} as `listen`
 */
export async function assertFree(address: ListenAddress): Promise<void> {
  const probe = createServer();
  await listen(probe, address);
  await new Promise((resolve) => probe.close(resolve));
}

function listenProblem(err: NodeJS.ErrnoException, { host, port, hostVariable, portVariable }: ListenAddress): string {
  const { code = '' } = err;
  if (code === 'EADDRINUSE') {
    return `${portVariable}=${port}: port ${port} on ${host} is in use; stop what listens there or set ${portVariable} to a free port`;
  }
  if (code === 'EACCES') {
    return `${portVariable}=${port}: this user may not listen on port ${port}; set ${portVariable} to one above 1023`;
  }
  if (unknownAddress.has(code)) return `${hostVariable}=${host}: this machine has no such address`;
  return `${portVariable}=${port}: cannot listen on ${host}:${port}: ${messageOf(err)}`;
}

const unknownAddress = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/** Where a program of this machine reaches one that listens on `host`: an address that means all stands for loopback. */
function connectHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** The origin of a program of this machine that listens on `host`, such as `http://[::1]:8000`. */
export function localOrigin(host: string, port: number): string {
  const reachable = connectHost(host);
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
