import type { Page } from 'playwright-core';

/**
 * Texts of a page whose contrast to what is behind them is lower, as WCAG 2.2 computes it, each with its ratio.
 * Colours are those the browser has computed, whatever notation they are written in; what shines through is blended.
 */
export const contrastsBelow = (page: Page, least: number): Promise<readonly string[]> =>
  page.evaluate(`(${measureContrasts.toString()})(${least})`);

/* Runs in the browser, so nothing of this module is there. */
/* oxlint-disable */
function measureContrasts(least: number): string[] {
  const { document, getComputedStyle, NodeFilter } = globalThis as any;
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color: string): number[] => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r1, g1, b1, a]: any, [r2, g2, b2]: any): number[] => [
    r1 * a + r2 * (1 - a),
    g1 * a + g2 * (1 - a),
    b1 * a + b2 * (1 - a),
    1,
  ];
  const behind = (element: any): number[] => {
    if (!element) return [255, 255, 255, 1];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const linear = (value: number): number => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]: any): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const found: string[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (text === '' || ['SCRIPT', 'STYLE', 'NOSCRIPT', 'title'].includes(element.tagName) || element.getClientRects().length === 0)
      continue;
    const ground = behind(element);
    const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), ground)), luminance(ground)].toSorted((x, y) => y - x) as [
      number,
      number,
    ];
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return [...new Set(found)];
}
