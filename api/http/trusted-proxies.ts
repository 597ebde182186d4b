import { BlockList, isIP, isIPv4 } from 'node:net';

/** Whether a text is an IP address, or a range such as 10.0.0.0/8. */
export function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  return isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

/** Says whether an address belongs to a proxy whose X-Forwarded-For is believed. */
export function createTrust(proxies: readonly string[]): (address: string) => boolean {
  if (proxies.length === 0) return () => false;
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/**
 * The address a request comes from. X-Forwarded-For is read from the right, past trusted proxies only, so that what a
 * client writes into it itself counts for nothing.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, isTrusted: (address: string) => boolean): string {
  let address = withoutMapping(peer);
  if (forwardedFor === undefined) return address;
  const hops = forwardedFor.split(',');
  while (isTrusted(address)) {
    const hop = withoutMapping(hops.pop()?.trim() ?? '');
    if (isIP(hop) === 0) return address;
    address = hop;
  }
  return address;
}

/** IPv4 peers of a dual-stack listener appear as ::ffff:192.0.2.1. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/** What the rate limit counts an anonymous client by: the address, or for IPv6 its /64, which one customer has in full. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return `ip:${address}`;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `ip:${network.join(':')}::/64`;
}
