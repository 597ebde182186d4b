import { describe, expect } from 'vitest';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { test } from '../processes/running-api.ts';

describe('the documentation of the API', { timeout: 60_000 }, () => {
  test('is answered to anybody, and not again to who has it', async ({ start }) => {
    const api = await start({});
    const origin = new URL(api.url).origin;
    const first = await fetch(`${origin}/openapi.json`);
    expect([first.status, first.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(Object.keys(((await first.json()) as { paths: object }).paths)).toContain('/orders/{id}/refunds');
    const again = await fetch(`${origin}/openapi.json`, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    const posted = await fetch(`${origin}/docs/`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'HEAD, GET, OPTIONS']);
  });

  test('shows in a browser every resource, with nothing from another server and no complaint', async ({ start, skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const api = await start({ RATE_LIMIT_ENABLED: 'false' });
    const { origin } = new URL(api.url);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const [asked, complaints]: [string[], string[]] = [[], []];
      page.on('request', (request) => asked.push(new URL(request.url()).origin));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (err) => complaints.push(err.message));
      await page.goto(`${origin}/docs`);
      await page.getByText('Take back pieces of an order').waitFor();
      const tags = await page.locator('.opblock-tag').allInnerTexts();
      expect(tags.map((tag) => tag.trim().split(/\s/)[0])).toEqual([
        'clients',
        'addresses',
        'categories',
        'products',
        'reviews',
        'bills',
        'orders',
        'order_details',
      ]);
      await page.locator('#operations-products-getProductsId').click();
      await page.getByRole('button', { name: 'Execute' }).waitFor();
      expect([complaints, new Set(asked)]).toEqual([[], new Set([origin])]);
    } finally {
      await browser.close();
    }
  });
});
