import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '#lib/errors.ts';
import { assertFree, type ListenAddress } from '#lib/listen.ts';
import { isEmbedded, type LocalSettings } from '../settings.ts';

const pollMs = 100;

/** Where the parts of the stack are to listen. */
export function wantedPorts(settings: LocalSettings): ListenAddress[] {
  const { API_HOST, API_PORT, ADMIN_HOST, ADMIN_PORT, MONITOR_HOST, MONITOR_PORT, LOCAL_POSTGRES_PORT } = settings;
  const monitor = { host: MONITOR_HOST, port: MONITOR_PORT, hostVariable: 'MONITOR_HOST', portVariable: 'MONITOR_PORT' };
  const variable = 'LOCAL_POSTGRES_PORT';
  const database = { host: '127.0.0.1', port: LOCAL_POSTGRES_PORT, hostVariable: variable, portVariable: variable };
  return [
    { host: API_HOST, port: API_PORT, hostVariable: 'API_HOST', portVariable: 'API_PORT' },
    { host: ADMIN_HOST, port: ADMIN_PORT, hostVariable: 'ADMIN_HOST', portVariable: 'ADMIN_PORT' },
    ...(settings.MONITOR_ENABLED ? [monitor] : []),
    ...(isEmbedded(settings) ? [database] : []),
  ];
}

/**
 * Makes sure that every port can be listened on.
 * @param patienceMs how long to wait for ports that a stack which was just killed may still hold
 * @throws {ConfigError} with one line for each that cannot, naming port and variable.
 */
export async function checkPorts(wanted: readonly ListenAddress[], patienceMs: number): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const problems = (await Promise.all(wanted.map((address, index) => problemsOf(address, wanted.slice(0, index))))).flat();
    if (problems.length === 0) return;
    if (performance.now() >= endsAt) throw new ConfigError(problems);
    await sleep(pollMs);
  }
}

async function problemsOf(address: ListenAddress, earlier: readonly ListenAddress[]): Promise<readonly string[]> {
  const { port, portVariable } = address;
  const same = earlier.find((other) => other.port === port);
  if (same) return [`${portVariable}=${port}: ${same.portVariable} names the same port; set one of them to another`];
  try {
    await assertFree(address);
    return [];
  } catch (err) {
    if (err instanceof ConfigError) return err.problems;
    throw err;
  }
}
