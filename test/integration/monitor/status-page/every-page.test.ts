import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { asOperator } from '#test/support/operator.ts';
import { contrastsBelow } from './contrast.ts';
import { startSeeded, type SeededPage } from './start-seeded.ts';

const open = ['/', '/history', '/incidents', '/incidents/target-1-1500', '/targets/target-3', '/operator'];
const operators = ['/operator', '/operator/incidents', '/operator/incidents/target-1-1500', '/operator/targets/target-3'];
const pages = [
  ...open.map((path) => ({ path, headers: {}, name: path === '/operator' ? 'sign-in' : path })),
  ...operators.map((path) => ({ path, headers: asOperator, name: path })),
];

let seeded: SeededPage;
let browser: Browser;
beforeAll(async () => {
  if (missingBrowser !== undefined) return;
  [seeded, browser] = await Promise.all([startSeeded(), launchBrowser()]);
  seeded.show(['down', 'degraded', 'unknown']);
}, 60_000);
afterAll(async () => {
  if (missingBrowser === undefined) await Promise.all([seeded.close(), browser.close()]);
});

async function newPage(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options });
  onTestFinished(() => context.close());
  return context.newPage();
}

/** Whatever the browser finds wrong with a page; that the sign-in page is answered 401 is meant. */
function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  const complain = (text: string): void => void (text.includes('401') || complaints.push(text));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()));
  page.on('pageerror', (err) => complain(String(err)));
  // What listens, or fetches what is new, is cut off by going on to the next page.
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    if (why !== 'net::ERR_ABORTED') complain(`${request.url()} failed: ${why}`);
  });
  return complaints;
}

const drawnCharts = (page: Page): Promise<void> => page.locator('figure[data-chart] canvas').waitFor();

describe.each(pages)('the page $name', ({ path, headers }) => {
  const isCharted = path.includes('/targets/');

  test(
    'breaks no rule of its own, throws nothing, is in the language asked for and fits 360 pixels',
    { timeout: 30_000 },
    async ({ skip }) => {
      skip(missingBrowser !== undefined, missingBrowser);
      const page = await newPage({ extraHTTPHeaders: headers });
      const complaints = complaintsOf(page);
      for (const language of ['en', 'es']) {
        await page.goto(`${seeded.url}${path}?lang=${language}`);
        if (isCharted) await drawnCharts(page);
        expect(await page.locator('html').getAttribute('lang')).toBe(language);
        const width = await page.locator('html').evaluate((element: { scrollWidth: number }) => element.scrollWidth);
        expect([language, width <= 360, width]).toEqual([language, true, width]);
      }
      expect(complaints).toEqual([]);
    },
  );

  test('has no text with a contrast below 4.5, by day and by night', { timeout: 30_000 }, async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const page = await newPage({ extraHTTPHeaders: headers, viewport: { width: 1_200, height: 900 } });
    await page.goto(seeded.url + path);
    if (isCharted) await drawnCharts(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect([colorScheme, await contrastsBelow(page, 4.5)]).toEqual([colorScheme, []]);
    }
  });

  test('says the same without a script, and all of it can be reached by the keyboard', { timeout: 60_000 }, async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const page = await newPage({ extraHTTPHeaders: headers, javaScriptEnabled: false });
    await page.goto(seeded.url + path);
    expect(await page.locator('h1').count()).toBe(1);
    const drawn = await page
      .locator('figure svg path.p95')
      .evaluateAll((lines: { getTotalLength: () => number }[]) => lines.map((line) => line.getTotalLength() > 700));
    expect(drawn).toEqual(isCharted ? [true] : []);
    const focusable = page.locator('a[href], button, summary, select, textarea, input:not([type=hidden])');
    const count = await focusable.count();
    const reached = new Set<string>();
    for (let press = 0; press <= count; press += 1) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus');
      reached.add(
        await focused.evaluateAll((found: { outerHTML: string; offsetTop: number }[]) => `${found[0]?.offsetTop} ${found[0]?.outerHTML}`),
      );
    }
    const all = await focusable.evaluateAll((found: { outerHTML: string; offsetTop: number }[]) =>
      found.map((each) => `${each.offsetTop} ${each.outerHTML}`),
    );
    expect(all.filter((each) => !reached.has(each))).toEqual([]);
  });
});

test.each(['up', 'degraded', 'down', 'unknown'] as const)('what is %s can be read in every light', { timeout: 30_000 }, async (status) => {
  if (missingBrowser !== undefined) return;
  onTestFinished(() => seeded.show(['down', 'degraded', 'unknown']));
  seeded.show([status]);
  const page = await newPage({ extraHTTPHeaders: asOperator });
  await page.goto(`${seeded.url}/operator`);
  await page.locator(`.hero.${status}`).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect([colorScheme, await contrastsBelow(page, 4.5)]).toEqual([colorScheme, []]);
  }
});

describe('a page that is open', { timeout: 30_000 }, () => {
  test('keeps the place of who goes through it by the keyboard', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const page = await newPage({ extraHTTPHeaders: asOperator });
    await page.goto(`${seeded.url}/operator`);
    await page.locator('article a', { hasText: 'target-2' }).focus();
    seeded.show(['up']);
    await page.locator('[data-target="target-0"][data-status="up"]').waitFor();
    expect(await page.locator(':focus').innerText()).toBe('target-2');
  });

  test('keeps the evidence that somebody has opened, the focus on it, and what stands before the eyes', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    seeded.show(['up']);
    const page = await newPage({ extraHTTPHeaders: asOperator, viewport: { width: 360, height: 300 } });
    await page.goto(`${seeded.url}/operator/incidents/target-1-1500`);
    await page.locator('#findings').press('Enter');
    await page.locator('#evidence li').last().scrollIntoViewIfNeeded();
    const shown = (): Promise<unknown> =>
      page.locator('#evidence').evaluate((details: { open: boolean; getBoundingClientRect: () => { top: number } }) => ({
        isOpen: details.open,
        top: Math.round(details.getBoundingClientRect().top),
      }));
    const before = await shown();
    expect(before).toMatchObject({ isOpen: true });
    const live = await page.locator('[data-live]').elementHandle();
    seeded.show(['down']);
    await expect.poll(() => live?.evaluate((element: { isConnected: boolean }) => element.isConnected), { timeout: 20_000 }).toBe(false);
    expect(await shown()).toEqual(before);
    expect(await page.locator(':focus').getAttribute('id')).toBe('findings');
  });

  test('keeps its chart while what is around it is exchanged', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    seeded.show(['up']);
    const page = await newPage({});
    await page.goto(`${seeded.url}/targets/target-3`);
    await drawnCharts(page);
    await page.locator('figure .uplot').evaluate((element: object) => void Object.assign(element, { isFirst: true }));
    seeded.show(['up', 'up', 'up', 'down']);
    await page.locator('h1.down').waitFor();
    await drawnCharts(page);
    expect(await page.locator('figure .uplot').evaluate((element: { isFirst?: boolean }) => element.isFirst)).toBe(true);
  });
});
