import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { keepRunning, type Part } from '#deploy/local/stack/keep-running.ts';

type Run = { end: (how: string) => void; stops: number };

/** A part whose runs the test ends as it likes. `ready` decides about the first start. */
function scriptedPart(options: { ready?: (signal: AbortSignal) => Promise<void>; launch?: (run: number) => Promise<void> } = {}) {
  const runs: Run[] = [];
  const part: Part = {
    name: 'API',
    launch: async () => {
      await options.launch?.(runs.length + 1);
      const { promise, resolve } = Promise.withResolvers<string>();
      const run: Run = { end: resolve, stops: 0 };
      runs.push(run);
      return {
        ready: options.ready ?? (() => Promise.resolve()),
        ended: promise,
        stop: async () => {
          run.stops += 1;
          resolve('was stopped');
        },
      };
    },
  };
  return { part, runs };
}

function keep(part: Part, signal: AbortSignal = new AbortController().signal) {
  const told: string[] = [];
  return { told, kept: keepRunning(part, { signal, tell: (line) => told.push(line) }) };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  await once(signal, 'abort');
  throw new Error('stopped');
}

const inTime = { timeout: 5_000 };

describe('keepRunning', () => {
  test('starts a part again when it ends, and says so', async () => {
    const { part, runs } = scriptedPart();
    const { kept, told } = keep(part);
    const { stop } = await kept;
    runs[0]?.end('was ended by SIGKILL');
    await expect.poll(() => runs.length, inTime).toBe(2);
    expect(told).toEqual(['API was ended by SIGKILL; starting it again in 0.2 s']);
    await stop();
  });

  test('clears away what the run that ended has left before it starts the next', async () => {
    let stopsAtRelaunch = 0;
    const { part, runs } = scriptedPart({
      launch: async (run) => {
        if (run === 2) stopsAtRelaunch = runs[0]?.stops ?? 0;
      },
    });
    const { stop } = await keep(part).kept;
    runs[0]?.end('ended with status 1');
    await expect.poll(() => runs.length, inTime).toBe(2);
    expect(stopsAtRelaunch).toBe(1);
    await stop();
  });

  test('goes on when starting again fails', async () => {
    const { part, runs } = scriptedPart({
      launch: async (run) => {
        if (run === 2 && failures++ === 0) throw new Error('port in use');
      },
    });
    let failures = 0;
    const { kept, told } = keep(part);
    const { stop } = await kept;
    runs[0]?.end('ended with status 1');
    await expect.poll(() => runs.length, inTime).toBe(2);
    expect(told.at(-1)).toBe('API did not start: port in use; starting it again in 0.4 s');
    await stop();
  });

  test('stops the part and does not start it again', async () => {
    const { part, runs } = scriptedPart();
    const { kept, told } = keep(part);
    await (await kept).stop();
    expect(runs).toHaveLength(1);
    expect(runs[0]?.stops).toBeGreaterThan(0);
    expect(told).toEqual([]);
  });

  test('stops a part that is being started again just then', async () => {
    const relaunch = Promise.withResolvers<void>();
    let isRelaunching = false;
    const { part, runs } = scriptedPart({
      launch: async (run) => {
        if (run === 1) return;
        isRelaunching = true;
        await relaunch.promise;
      },
    });
    const { stop } = await keep(part).kept;
    runs[0]?.end('ended with status 1');
    await expect.poll(() => isRelaunching, inTime).toBe(true);
    const stopped = stop();
    relaunch.resolve();
    await stopped;
    expect(runs[1]?.stops).toBeGreaterThan(0);
  });

  test('waits for no delay when it is to stop', async () => {
    const { part, runs } = scriptedPart();
    const { kept, told } = keep(part);
    const { stop } = await kept;
    runs[0]?.end('ended with status 1');
    await expect.poll(() => told.length, inTime).toBe(1);
    await stop();
    expect(runs).toHaveLength(1);
  });

  test('leaves nothing running when the first start fails', async () => {
    const { part, runs } = scriptedPart({ ready: () => Promise.reject(new Error('no database')) });
    await expect(keep(part).kept).rejects.toThrow('no database');
    expect(runs.map(({ stops }) => stops)).toEqual([1]);
  });

  test('gives up a first start when the stack is to stop', async () => {
    const stop = new AbortController();
    const { part, runs } = scriptedPart({ ready: untilAborted });
    const { kept } = keep(part, stop.signal);
    await expect.poll(() => runs.length, inTime).toBe(1);
    stop.abort();
    await expect(kept).rejects.toThrow('stopped');
    expect(runs[0]?.stops).toBe(1);
  });
});
