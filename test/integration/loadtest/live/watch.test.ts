import { get } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { LiveView } from '#loadtest/live/live-view.ts';
import { openWatch } from '#loadtest/live/watch-server.ts';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';

const view = (elapsedSeconds: number): LiveView => ({
  plan: 'users',
  step: null,
  phase: { name: 'users', says: '400 users, pausing 1–3 s', isWarmUp: false },
  elapsedSeconds,
  totalSeconds: 35,
  wantedPerSecond: null,
  perSecond: 198,
  p50Ms: 2.5,
  p95Ms: 18,
  p99Ms: 46,
  recentP95Ms: [18],
  errors: 3,
  pool: { inUse: 3, capacity: 40, waiting: 0 },
});

const statusOf = (origin: string, path: string, host?: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(`${origin}${path}`, { headers: host === undefined ? {} : { host } }, (response) => {
      response.destroy();
      resolve(response.statusCode);
    }).once('error', reject);
  });

test('a browser follows a run from what was before it came to its verdict, and nothing listens any more', async ({ skip }) => {
  skip(missingBrowser !== undefined, missingBrowser);
  const watch = await openWatch(0);
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  watch.show(view(11));
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (err) => faults.push(err.message));
  page.on('console', (message) => faults.push(message.text()));
  await page.goto(watch.origin);

  await expect.poll(() => page.locator('h1').innerText()).toBe('users: 11 s');
  watch.show(view(12));
  await expect.poll(() => page.locator('h1').innerText()).toBe('users: 12 s');
  expect(await page.locator('.tile .value').allInnerTexts()).toEqual(['23 s', '198', '2.5 ms', '18 ms', '46 ms', '3', '3 of 40']);
  expect(await page.locator('canvas').count()).toBe(3);

  await watch.end('PASS');
  await expect.poll(() => page.locator('h1').innerText()).toBe('ended: PASS');
  expect(faults).toEqual([]);
  await expect(statusOf(watch.origin, '/')).rejects.toThrow('ECONNREFUSED');
});

test('it listens on loopback alone and answers no other name, so that no page of another site can read it', async () => {
  const watch = await openWatch(0);
  onTestFinished(() => watch.end('PASS'));
  expect(new URL(watch.origin).hostname).toBe('127.0.0.1');
  expect(await statusOf(watch.origin, '/')).toBe(200);
  expect(await statusOf(watch.origin, '/events')).toBe(200);
  expect(await statusOf(watch.origin, '/events', 'rebound.example')).toBe(403);
  expect(await statusOf(watch.origin, '/../cli.ts')).toBe(404);
});

test('a port in use is named before anything is started', async () => {
  const watch = await openWatch(0);
  onTestFinished(() => watch.end('PASS'));
  const { port } = new URL(watch.origin);
  await expect(openWatch(Number(port))).rejects.toThrow(`--watch=${port}: port ${port} on 127.0.0.1 is in use`);
});
