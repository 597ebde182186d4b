import type { Browser, Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DayView, HistoryView } from '#monitor/status-page/history-view.ts';
import type { PublicIncident } from '#monitor/status-page/public-view.ts';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { asOperator, operatorPassword } from '#test/support/operator.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { planFor, startMonitor, statusOf, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';

const timeout = 90_000;

type Scene = { readonly api: WatchedApi; readonly monitor: RunningMonitor };

async function setScene(): Promise<Scene> {
  const [api, slack, dir] = await Promise.all([startWatchedApi(), startSlackRecorder(), temporaryFolder()]);
  const monitor = await startMonitor(planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }));
  onTestFinished(async () => {
    await monitor.kill();
    await Promise.all([api.kill(), slack.close()]);
  });
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
  return { api, monitor };
}

async function openBrowser(): Promise<Browser> {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  return browser;
}

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/operator`);
  await page.getByLabel('Password').fill(operatorPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${url}/operator?lang=en`);
}

const bodyText = (page: Page): Promise<string> => page.locator('body').innerText();

describe('the status page in a browser', { timeout }, () => {
  test('shows an outage begin and end by itself, without any script and without asking anybody else', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const { api, monitor } = await setScene();
    const browser = await openBrowser();
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const asked = new Set<string>();
    page.on('request', (request) => void asked.add(new URL(request.url()).origin));
    await signIn(page, monitor.url);
    expect(await page.title()).toBe('Atalaya status');
    expect(await page.locator('h1').innerText()).toBe('Everything is up');
    // Without its style sheet the drawing would fill the page.
    expect((await page.locator('.brand svg').boundingBox())?.width).toBeLessThan(60);
    expect(await page.locator('article[data-target="api"]').innerText()).toMatch(/Alert within\s+16\.1 s/);

    await api.kill();
    await page.locator('article[data-target="api"][data-status="down"]').waitFor({ timeout: 30_000 });
    expect(await page.locator('h1').innerText()).toBe('api is down');
    await page.getByText('still going on').waitFor({ timeout: 30_000 });

    await api.start();
    await page.locator('article[data-target="api"][data-status="up"]').waitFor({ timeout: 30_000 });
    const incident = await page.locator('.incidents li').innerText();
    expect(incident).toMatch(/ECONNREFUSED[\s\S]*alert raised after[\s\S]*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\s+to \d\d:\d\d:\d\d/);
    expect([...asked].filter((origin) => origin.startsWith('http'))).toEqual([monitor.url]);
  });

  test('is live for everybody with a script, without loading itself anew, and breaks none of its own rules', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const { api, monitor } = await setScene();
    const page = await (await openBrowser()).newPage();
    const complaints: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (err) => void complaints.push(String(err)));
    await page.goto(monitor.url);
    let loads = 0;
    page.on('load', () => void (loads += 1));
    await api.kill();
    await page.locator('[data-target="api"][data-status="down"]').waitFor({ timeout: 30_000 });
    expect(await page.title()).toMatch(/^DOWN/);
    await page.locator('.public-incidents a').first().waitFor();
    expect(loads).toBe(0);
    for (const path of ['/history', '/incidents', '/operator']) await page.goto(monitor.url + path);
    // The operators' page is refused, which a browser logs as an error of its own.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('can be gone through by the keyboard, names its language, and every field and picture says what it is', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const { monitor } = await setScene();
    const page = await (await openBrowser()).newPage();
    for (const path of ['/', '/?lang=es', '/history', '/incidents', '/operator']) {
      await page.goto(monitor.url + path);
      const counts = await Promise.all([
        page.locator('html[lang]').count(),
        page.locator('h1').count(),
        page.locator('svg:not([aria-hidden], [aria-label])').count(),
        page.locator('input:not([type=hidden]):not([id]), select:not([name])').count(),
      ]);
      expect([path, ...counts]).toEqual([path, 1, 1, 0, 0]);
      const reachable = await page.locator('a[href], button, input:not([type=hidden])').count();
      const reached = new Set<string>();
      for (let press = 0; press <= reachable; press += 1) {
        await page.keyboard.press('Tab');
        reached.add(await page.locator(':focus').evaluateAll((found: { outerHTML: string }[]) => found[0]?.outerHTML ?? ''));
      }
      reached.delete('');
      expect([path, reached.size]).toEqual([path, reachable]);
    }
  });

  test('fits a telephone', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const { monitor } = await setScene();
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const width = (): Promise<number> => page.locator('html').evaluate((element: { scrollWidth: number }) => element.scrollWidth);
    for (const path of ['/', '/?lang=es', '/history']) {
      await page.goto(monitor.url + path);
      expect(await width()).toBeLessThanOrEqual(360);
      expect(await bodyText(page)).toContain('api');
    }
    await signIn(page, monitor.url);
    expect(await width()).toBeLessThanOrEqual(360);
    expect(await bodyText(page)).toContain('Alert channels');
  });
});

describe('an incident', { timeout }, () => {
  test('has a page with all that is on record, to which operators write what everybody may read', async ({ skip }) => {
    skip(missingBrowser !== undefined, missingBrowser);
    const { api, monitor } = await setScene();
    await api.kill();
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'down' && view.channels?.[0]?.last_sent_at !== null);
    const browser = await openBrowser();
    const page = await browser.newPage();
    await signIn(page, monitor.url);
    await page.locator('.incidents a').first().click();
    for (const words of ['look failed', 'found out', 'accepted', 'firing, to slack, at the first attempt'])
      expect(await bodyText(page)).toContain(words);
    await page.getByLabel('Text').fill('Power was lost.\n<b>Twice.</b>');
    await page.getByLabel('Your name').fill('Ana');
    await page.getByLabel('Everybody may read it').check();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByText('for everybody').waitFor();
    const id = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1) ?? '');
    const shown = (await (await fetch(`${monitor.url}/api/incidents/${id}`)).json()) as PublicIncident;
    expect(shown.notes).toMatchObject([{ kind: 'note', text: 'Power was lost.\n<b>Twice.</b>' }]);
    await page.goto(`${monitor.url}/incidents/${id}?lang=es`);
    expect(await bodyText(page)).toContain('<b>Twice.</b>');
    expect(await bodyText(page)).not.toContain('Ana');
  });

  test('takes no note from a form that does not come from the page of who is signed in', async () => {
    const { monitor } = await setScene();
    const form = { of: 'api-1', by: 'Ana', text: 'x', token: 'guessed' };
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${monitor.url}/operator/notes`, { method: 'POST', body: new URLSearchParams(form), headers });
    expect((await post({})).status).toBe(403);
    const entered = await fetch(`${monitor.url}/operator/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ password: operatorPassword }),
      redirect: 'manual',
    });
    expect((await post({ cookie: entered.headers.get('set-cookie')?.split(';')[0] ?? '' })).status).toBe(403);
  });
});

describe('the status server', { timeout }, () => {
  test('answers health, JSON and metrics, shows no secret, and forbids scripts', async () => {
    const { monitor } = await setScene();
    const get = (path: string, init?: RequestInit): Promise<Response> =>
      fetch(monitor.url + path, { ...init, signal: AbortSignal.timeout(5_000) });
    const [page, health, status, metrics] = await Promise.all([
      get('/'),
      get('/healthz'),
      get('/api/operator/status', { headers: asOperator }),
      get('/metrics', { headers: asOperator }),
    ]);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self' 'sha256-/);
    expect(await health.json()).toEqual({ status: 'ok' });
    expect(await metrics.text()).toContain('atalaya_monitor_target_status{target="api",status="up"} 1');
    const texts = [await page.text(), await status.text()].join('\n');
    expect(texts).not.toContain('secret-of-the-webhook');
    expect(texts.match(/<script[^>]*>/g)).toEqual([expect.stringMatching(/^<script src="\/live.js" data-events="[^"]+" defer>$/)]);
  });

  test('shows how targets were day by day, an outage as down time of today', async () => {
    const { api, monitor } = await setScene();
    await api.kill();
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'down');
    const today = async (): Promise<DayView | undefined> => {
      const history = (await (await fetch(`${monitor.url}/api/history`)).json()) as HistoryView[];
      return history.find(({ target }) => target === 'api')?.days.at(-1);
    };
    await expect.poll(async () => (await today())?.down_ms ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
    expect((await today())?.uptime).toBeLessThan(1);
    expect(await (await fetch(`${monitor.url}/history`)).text()).toContain('data-history="api"');
  });

  test.each([
    ['/nothing', {}, 404],
    ['/constructor', {}, 404],
    ['/', { method: 'POST' }, 405],
    ['/', { method: 'HEAD' }, 200],
  ])('answers %s %j with %i', async (path, init, status) => {
    const { monitor } = await setScene();
    expect((await fetch(monitor.url + path, init)).status).toBe(status);
  });
});
