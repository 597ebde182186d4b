import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { stateOf } from '#loadtest/observe/admin-reader.ts';
import { parseMetrics } from '#loadtest/observe/prometheus.ts';
import { sleepUntil } from '#loadtest/observe/sample-server.ts';
import { parseCpuLine } from '#loadtest/observe/watch-machine.ts';

test('a moment that has passed is waited for by nobody, and warned of by nobody', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): number => warnings.push(name);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  await sleepUntil(performance.now() - 5_000, new AbortController().signal);
  await turn();
  expect(warnings).toEqual([]);
});

test('a wait ends when the run does', async () => {
  await expect(sleepUntil(performance.now() + 60_000, AbortSignal.abort())).resolves.toBeUndefined();
});

test('the line of /proc/stat: what waits for a disk is idle, what a hypervisor took is not', () => {
  expect(parseCpuLine('cpu  100 5 50 800 40 3 2 9 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n')).toEqual({ all: 1_009, idle: 840 });
  expect(parseCpuLine('intr 1 2 3')).toBeUndefined();
  expect(parseCpuLine('')).toBeUndefined();
});

test('workers are told apart by their label, the pool is that of all', () => {
  const text = `atalaya_pool_connections{state="in_use"} 3
atalaya_pool_connections{state="in_use",worker="1"} 1
atalaya_pool_connections{state="in_use",worker="2"} 2
atalaya_pool_max 40
atalaya_process_resident_memory_bytes{worker="1"} 100
atalaya_process_resident_memory_bytes{worker="2"} 200
atalaya_process_resident_memory_bytes 300
atalaya_event_loop_delay_p99_seconds{worker="2"} 3.01
atalaya_process_cpu_seconds{worker="1"} 12.5
`;
  expect(stateOf(parseMetrics(text), 7)).toEqual({
    atMs: 7,
    pool: { inUse: 3, capacity: 40, waiting: 0 },
    workers: [
      { worker: '1', residentBytes: 100, loopDelayMs: 0, connectionsInUse: 1, cpuSeconds: 12.5 },
      { worker: '2', residentBytes: 200, loopDelayMs: 3_010, connectionsInUse: 2, cpuSeconds: 0 },
    ],
  });
});
