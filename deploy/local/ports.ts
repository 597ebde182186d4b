import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '#lib/errors.ts';

export type WantedPort = {
  /** Variable that sets the port, such as API_PORT. */
  readonly variable: string;
  readonly host: string;
  readonly port: number;
};

const pollMs = 100;

/**
 * Makes sure that every port can be listened on.
 * @param patienceMs how long to wait for ports that a stack which was just killed may still hold
 * @throws {ConfigError} with one line for each that cannot, naming port and variable.
 */
export async function checkPorts(wanted: readonly WantedPort[], patienceMs: number): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const problems = await problemsOf(wanted);
    if (problems.length === 0) return;
    if (performance.now() >= endsAt) throw new ConfigError(problems);
    await sleep(pollMs);
  }
}

async function problemsOf(wanted: readonly WantedPort[]): Promise<string[]> {
  const found = wanted.map(async ({ variable, host, port }, index) => {
    const earlier = wanted.slice(0, index).find((other) => other.port === port);
    return earlier
      ? `${variable}=${port}: ${earlier.variable} names the same port; set one of them to another`
      : problemOf({ variable, host, port });
  });
  return (await Promise.all(found)).filter((problem) => problem !== undefined);
}

async function problemOf({ variable, host, port }: WantedPort): Promise<string | undefined> {
  const code = await listenOnce(host, port);
  if (code === undefined) return undefined;
  if (code === 'EADDRINUSE')
    return `${variable}=${port}: port ${port} of ${host} is in use; stop what listens there or set ${variable} to a free port`;
  if (code === 'EACCES') return `${variable}=${port}: this user may not listen on port ${port}; set ${variable} to one above 1023`;
  return `${variable}=${port}: cannot listen on ${host}:${port} (${code})`;
}

/** The error code of listening there, or undefined. */
function listenOnce(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? 'failed'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
