import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Measurement, ServerSample } from '#loadtest/measurement/measurement.ts';
import { writeReport } from '#loadtest/report/write-report.ts';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { healthyMeasurement, judged, many, slice } from '#test/unit/loadtest/build-measurement.ts';

/** As much of the browser's canvas as is used here; the project's types know no browser. */
type Canvas = {
  readonly width: number;
  readonly height: number;
  readonly getContext: (kind: '2d') => { readonly getImageData: (...box: number[]) => { readonly data: Uint8ClampedArray } };
};

const sample = (second: number): ServerSample => ({
  second,
  pool: { inUse: 3, capacity: 40, waiting: 0 },
  backends: { active: 2, idleInTransaction: 0, waitingForLock: 0, total: 20 },
  workers: [{ worker: '1', residentBytes: 1e8 + second, loopDelayMs: 1, connectionsInUse: 0 }],
});

const measurement: Measurement = healthyMeasurement({
  slices: [0, 1, 2].map((second) => slice(second, [...many(95, 10), ...many(5, 300)])),
  samples: [0, 1, 2].map(sample),
});

test('the HTML report opens from a file without network and draws every chart', async ({ skip }) => {
  skip(missingBrowser !== undefined, missingBrowser);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-report-page-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const { html } = await writeReport({ measurement, judgement: judged(measurement), highlights: [] }, dir);
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ offline: true });
  const [requests, faults]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (err) => faults.push(err.message));
  page.on('console', (message) => faults.push(message.text()));

  await page.goto(pathToFileURL(html).href);

  await expect.poll(() => page.locator('canvas').count(), { timeout: 10_000 }).toBe(10);
  const isDrawn = await page.locator('canvas').evaluateAll((canvases) =>
    (canvases as unknown as Canvas[]).map((canvas) =>
      canvas
        .getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some((value) => value !== 0),
    ),
  );
  expect(isDrawn).toEqual(Array.from({ length: 10 }, () => true));
  expect(requests).toEqual([pathToFileURL(html).href]);
  expect(faults).toEqual([]);
  expect(await page.locator('.badge').innerText()).toBe('PASS');
});
