import { Counter, Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createPrimaryMetrics, mergeMetrics, type WorkerMetrics } from '#api/processes/collect-metrics.ts';

async function workerMetrics(worker: number, requests: number, lateness: number): Promise<WorkerMetrics> {
  const registers = [new Registry()];
  new Counter({ name: 'requests_total', help: 'Requests.', labelNames: ['route'], registers }).inc({ route: 'a"b\\c\nd' }, requests);
  new Gauge({ name: 'lateness', help: 'Lateness.', aggregator: 'max', registers }).set(lateness);
  return { worker, metrics: await (registers[0] as Registry).getMetricsAsJSON() };
}

test('the metrics of all workers are told together and each by itself, and no label is torn by what it holds', async () => {
  const text = await mergeMetrics([await workerMetrics(1, 2, 0.5), await workerMetrics(2, 3, 0.25)]);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.toSorted()).toEqual(
    [
      String.raw`requests_total{route="a\"b\\c\nd"} 5`,
      String.raw`requests_total{route="a\"b\\c\nd",worker="1"} 2`,
      String.raw`requests_total{route="a\"b\\c\nd",worker="2"} 3`,
      'lateness 0.5',
      'lateness{worker="1"} 0.5',
      'lateness{worker="2"} 0.25',
    ].toSorted(),
  );
});

test('the primary tells its workers as they are at each look', async () => {
  let [ready, restarts] = [2, 0];
  const own = createPrimaryMetrics(() => ({ ready, restarts }));
  expect(await own.metrics()).toMatch(/^atalaya_workers_ready 2$[^]*^atalaya_worker_restarts_total 0$/m);
  [ready, restarts] = [1, 3];
  await own.metrics();
  expect(await own.metrics()).toMatch(/^atalaya_workers_ready 1$[^]*^atalaya_worker_restarts_total 3$/m);
});
