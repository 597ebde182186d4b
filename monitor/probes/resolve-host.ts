import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { orAborted } from '#lib/abort.ts';
import { MonitorFaultError, type ResolveHost } from './probe.ts';

/** The name is not found: seen when a container with that name is gone, so it is evidence against the target. */
export class HostNotFoundError extends Error {}

const lookupTimeoutMs = 1_000;

/** Name service that found another host this lately works. */
const recentMs = 30_000;

const lookUpAll = (host: string): Promise<readonly LookupAddress[]> => lookup(host, { all: true });

/**
 * A resolver that remembers. When name service fails or is slow, the last known addresses are used, so that it neither
 * hides an outage nor makes one up.
 * @throws {HostNotFoundError} the name does not exist, or no answer comes for it while others are found: so does Docker's
 * name service on an internal network report a container that is gone
 * @throws {MonitorFaultError} name service fails and no address is known
 */
export function createHostResolver(lookUp = lookUpAll): ResolveHost {
  const known = new Map<string, { readonly addresses: readonly LookupAddress[]; readonly foundMs: number }>();
  return async (host, signal) => {
    const literal = host.replace(/^\[(.*)\]$/, '$1');
    const family = isIP(literal);
    if (family !== 0) return [{ address: literal, family }];
    try {
      const addresses = await orAborted(lookUp(host), AbortSignal.any([signal, AbortSignal.timeout(lookupTimeoutMs)]));
      known.set(host, { addresses, foundMs: performance.now() });
      return addresses;
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOTFOUND')
        throw new HostNotFoundError(`the host name ${host} does not exist`, { cause: err });
      const own = known.get(host);
      if (own) return own.addresses;
      const isServiceWell = [...known.values()].some(({ foundMs }) => performance.now() - foundMs < recentMs);
      if (isServiceWell) throw new HostNotFoundError(`the host name ${host} is not found, while others are`, { cause: err });
      throw new MonitorFaultError(`name service of this machine does not answer for ${host}`, { cause: err });
    }
  };
}
