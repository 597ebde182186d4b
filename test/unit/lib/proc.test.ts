import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cpuSeconds, processTree, readProcesses, residentBytes, type ProcessStat } from '#lib/proc.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const stat = (pid: number, parent: number): ProcessStat => ({
  pid,
  parent,
  name: 'x',
  cpuTicks: 50,
  endedChildrenTicks: 0,
  residentPages: 3,
});

test('a tree is a process with all that descend from it, in whatever order they are listed', () => {
  const all = [stat(9, 8), stat(8, 5), stat(5, 1), stat(6, 1), stat(7, 5)];
  const tree = processTree(all, 5);
  expect(tree.map(({ pid }) => pid)).toEqual([5, 8, 7, 9]);
  expect(cpuSeconds(tree)).toBe(2);
  expect(processTree(all, 99)).toEqual([]);
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('a child is seen with its parent and its name, whatever that holds, until it has ended', async () => {
    const program = join(await temporaryFolder(), 'a) (b c');
    await copyFile('/bin/sh', program);
    const script = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo ready; read line';
    const child = spawn(program, ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const tree = processTree(await readProcesses(), process.pid);
    const found = tree.find(({ pid }) => pid === child.pid);
    expect(found).toMatchObject({ parent: process.pid, name: 'a) (b c' });
    expect(cpuSeconds(found ? [found] : [])).toBeGreaterThan(0.05);
    expect(residentBytes(found ? [found] : [])).toSatisfy((bytes: number) => bytes > 200_000 && bytes < 50_000_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const after = await readProcesses();
    expect(after.map(({ pid }) => pid)).not.toContain(child.pid);
    expect(after.find(({ pid }) => pid === process.pid)?.endedChildrenTicks).toBeGreaterThanOrEqual(5);
  });
});
