import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { Measurement, PlayedPhase, ServerSample } from '#loadtest/measurement/measurement.ts';
import { planReport } from '#loadtest/report/plan-report.ts';
import { writeReport } from '#loadtest/report/run-report.ts';
import { launchBrowser, missingBrowser } from '#test/support/browser.ts';
import { healthyMeasurement, judged, many, quietSecond, slice } from '#test/unit/loadtest/build-measurement.ts';

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
  workers: ['1', '2'].map((worker) => ({ worker, residentBytes: 1e8 + second, loopDelayMs: 1, connectionsInUse: 0 })),
});

/** Three rates, one after the other, of which the last meets a limiter: a run that every chart has something to show of. */
const [phase] = healthyMeasurement().phases as readonly [PlayedPhase];
const rates = [40, 80, 160];
const seconds = rates.flatMap((_, index) => [3 * index, 3 * index + 1, 3 * index + 2]);
const measurement: Measurement = healthyMeasurement({
  phases: rates.map((rate, index) => ({
    ...phase,
    startSecond: 3 * index,
    load: { kind: 'open', users: 10, spacing: 'even', stages: [{ fromPerSecond: rate, toPerSecond: rate, durationMs: 2_000 }] },
    arrivals: { due: 3 * rate, dropped: [] },
  })),
  slices: seconds.map((second) => slice(second, [...many(95, 10), ...many(5, 300)], second === 8 ? { limited: 3 } : {})),
  samples: seconds.map(sample),
  machine: seconds.map((second) => quietSecond(second)),
});
const charts = 'curve latency traffic distribution arrivals limiter pool backends machine idle client lag'.split(' ');

test('the HTML report opens from a file without network and draws every chart', async ({ skip }) => {
  skip(missingBrowser !== undefined, missingBrowser);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-report-page-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const html = await writeReport(await planReport({ measurement, judgement: judged(measurement), highlights: [] }), dir);
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ offline: true });
  const [requests, faults]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (err) => faults.push(err.message));
  page.on('console', (message) => faults.push(message.text()));

  await page.goto(pathToFileURL(html).href);

  await expect.poll(() => page.locator('canvas').count(), { timeout: 10_000 }).toBe(charts.length);
  const isDrawn = await page.locator('canvas').evaluateAll((canvases) =>
    (canvases as unknown as Canvas[]).map((canvas) =>
      canvas
        .getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some((value) => value !== 0),
    ),
  );
  expect(isDrawn).toEqual(charts.map(() => true));
  expect(await page.locator('[data-chart]').evaluateAll((boxes) => boxes.map((box) => box.getAttribute('data-chart')))).toEqual(charts);
  expect(await page.locator('.lane polyline').count()).toBe(2 * 3);
  expect(requests).toEqual([pathToFileURL(html).href]);
  expect(faults).toEqual([]);
  expect(await page.locator('.badge').innerText()).toBe('INVALID');

  await page.setViewportSize({ width: 360, height: 800 });
  await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(360);
});
