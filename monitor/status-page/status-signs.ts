import { raw, type Html } from '#lib/html.ts';
import type { HealthStatus } from '../model/look.ts';

const toneOfIcon = { up: '%2314804a', degraded: '%23d39a12', down: '%23c42b2b', unknown: '%235d6b7a' } as const;

/** The icon of a tab, in the colour of a status. */
export function statusIcon(status: HealthStatus): string {
  return `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='${toneOfIcon[status]}'/></svg>`;
}

/** The drawing of a status. */
export const statusSign = (status: HealthStatus): Html => signs[status];

const signs = {
  up: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="m7.500 12.300 3 3 6-6.300"/></svg>',
  ),
  degraded: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M12 3 2.500 20h19zM12 10v4.500M12 17.200v.1"/></svg>',
  ),
  down: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="m8.500 8.500 7 7m0-7-7 7"/></svg>',
  ),
  unknown: raw(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.500"/><path d="M9.300 9.300a2.700 2.700 0 1 1 3.900 2.500c-.8.4-1.200 1-1.200 1.900M12 17v.1"/></svg>',
  ),
} as const;
