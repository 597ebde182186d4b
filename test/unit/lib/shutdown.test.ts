import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { closeInOrder } from '#lib/shutdown.ts';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const silent = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });

describe('closeInOrder', () => {
  test('closes one after the other in the order given', async () => {
    const closed: string[] = [];
    const part = (name: string, ms: number) => ({
      name,
      close: () =>
        new Promise<void>((resolve) => {
          setTimeout(() => {
            closed.push(name);
            resolve();
          }, ms);
        }),
    });
    await expect(closeInOrder([part('server', 20), part('pool', 1)], 5_000, silent)).resolves.toEqual([]);
    expect(closed).toEqual(['server', 'pool']);
  });

  test('goes on after one that fails, whether it throws or rejects, and names it', async () => {
    const closed: string[] = [];
    const failed = await closeInOrder(
      [
        {
          name: 'throws',
          close: () => {
            throw new Error('no');
          },
        },
        { name: 'rejects', close: () => Promise.reject(new Error('no')) },
        { name: 'pool', close: () => closed.push('pool') },
      ],
      5_000,
      silent,
    );
    expect(failed).toEqual(['throws', 'rejects']);
    expect(closed).toEqual(['pool']);
  });

  test('cuts off one that exceeds the deadline and still closes the rest', async () => {
    const closed: string[] = [];
    const hangs = { name: 'hangs', close: () => new Promise(() => {}) };
    const failed = await closeInOrder([hangs, { name: 'pool', close: () => closed.push('pool') }], 50, silent);
    expect(failed).toEqual(['hangs']);
    expect(closed).toEqual(['pool']);
  });
});

describe('stopSignal', () => {
  const program = `
    import { stopSignal } from '#lib/shutdown.ts';
    const stopped = stopSignal();
    console.log('listening');
    const alive = setInterval(() => {}, 1000);
    const signal = await stopped;
    console.log(signal);
    setTimeout(() => { clearInterval(alive); console.log('closed'); }, 300);
  `;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'resolves with %s, and a second signal does not cut the end short',
    async (signal) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const exited = once(child, 'exit');
      await expect.poll(() => output, { timeout: 10_000 }).toContain('listening');
      child.kill(signal);
      await expect.poll(() => output, { timeout: 10_000 }).toContain(signal);
      child.kill('SIGINT');
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      expect(output).toBe(`listening\n${signal}\nclosed\n`);
    },
  );
});
