import { html } from '#lib/html.ts';
import type { HealthStatus } from '../model/look.ts';

const tones = { up: '#14804a', degraded: '#a16207', down: '#c42b2b', unknown: '#5d6b7a' } as const satisfies Record<HealthStatus, string>;

/** A picture of two words for a README or a wall, as wide as they are. Needs no font, script or style of its own. Pure. */
export function badgeSvg(label: string, value: string, tone: HealthStatus): string {
  const [left, right] = [widthOf(label), widthOf(value)];
  const told = `${label}: ${value}`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${told}">
    <title>${told}</title>
    <rect width="${left + right}" height="20" rx="3" fill="#444c56" />
    <path d="M${left} 0h${right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-${right - 3}z" fill="${tones[tone]}" />
    <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
      <text x="${left / 2}" y="14">${label}</text>
      <text x="${left + right / 2}" y="14">${value}</text>
    </g>
  </svg>`.markup;
}

/** Of text of 11 px with a margin; a sign of Verdana is at most about 7.5 px wide. */
const widthOf = (text: string): number => Math.ceil(text.length * 7.5) + 10;

/** The colour of a share of the time: 99.9 % and more is up, 99 % and more degraded. Pure. */
export function toneOfUptime(share: number | null): HealthStatus {
  if (share === null) return 'unknown';
  return share >= 0.999 ? 'up' : share >= 0.99 ? 'degraded' : 'down';
}
