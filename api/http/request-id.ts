import { randomUUID } from 'node:crypto';

/** The caller's X-Request-ID when it is safe to log and to echo, else a new UUID. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}
