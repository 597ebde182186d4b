import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childPids, cpuSeconds, parseStat, processTree, readMemory, readProcesses, readStat, type ProcessStat } from '#lib/proc.ts';

describe('a line of /proc/PID/stat', () => {
  test('is read by its fields, also when the name holds spaces and brackets', () => {
    const rest = '1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 11 0 8675309 22 33';
    expect(parseStat(`42 (a) (b c) S ${rest}\n`)).toEqual({
      pid: 42,
      parent: 1,
      name: 'a) (b c',
      state: 'S',
      cpuTicks: 100,
      startTicks: 8_675_309,
    });
  });

  test.each(['', 'nothing', '42 node S 1'])('is not read from %o', (line) => {
    expect(parseStat(line)).toBeUndefined();
  });
});

const stat = (pid: number, parent: number): ProcessStat => ({ pid, parent, name: 'x', state: 'S', cpuTicks: 50, startTicks: 0 });

test('a tree is a process with all that descend from it, in whatever order they are listed', () => {
  const all = [stat(9, 8), stat(8, 5), stat(5, 1), stat(6, 1), stat(7, 5)];
  const tree = processTree(all, 5);
  expect(tree.map(({ pid }) => pid)).toEqual([5, 8, 7, 9]);
  expect(cpuSeconds(tree)).toBe(2);
  expect(processTree(all, 99)).toEqual([]);
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('a child is seen with its parent, its memory and its start, until it has ended', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(childPids(process.pid)).toContain(pid);
    expect(processTree(await readProcesses(), process.pid).map((one) => one.pid)).toContain(pid);
    expect(readStat(pid)).toMatchObject({ pid, parent: process.pid, startTicks: expect.any(Number) });
    const memory = await readMemory(pid);
    expect(memory?.rssBytes).toBeGreaterThan(100_000);
    expect(memory?.pssBytes).toBeLessThanOrEqual(memory?.rssBytes ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect([readStat(pid), await readMemory(pid), childPids(pid)]).toEqual([undefined, undefined, []]);
  });
});
