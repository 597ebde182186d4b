import { isIP } from 'node:net';
import { UsageError } from '#lib/errors.ts';

/**
 * The origin of a target, if load may be sent there: this machine, or a host that is named in `allowedHosts`. A load test
 * started against the wrong host by mistake is an attack.
 * @throws {UsageError} saying what to add, or what an address looks like.
 */
export function guardTarget(target: string, allowedHosts: readonly string[]): string {
  const url = URL.parse(target.includes('://') ? target : `http://${target}`);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new UsageError(`--target ${target} is no address; write it like http://127.0.0.1:8000`);
  }
  if (url.username !== '' || url.password !== '') throw new UsageError('--target must not hold credentials; set LOADTEST_KEY instead');
  const host = bareHost(url.hostname);
  if (isLoopback(host) || allowedHosts.some((allowed) => bareHost(allowed.toLowerCase()) === host)) return url.origin;
  throw new UsageError(`--target ${url.origin} is not on this machine; if load may be sent there, add --allow-host ${host}`);
}

const bareHost = (host: string): string => host.replace(/^\[|\]$/g, '');

/** Whether a host name or address is this machine's own by its very form; names are not looked up. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  if (isIP(host) === 4) return host.startsWith('127.');
  return isIP(host) === 6 && (host === '::1' || host.startsWith('::ffff:7f'));
}
