import { appendFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { followLog } from '#monitor/probes/log-tail.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { look, looker } from '#test/integration/monitor/probes/look.ts';

const error = (msg: string) =>
  `${JSON.stringify({ level: 'error', time: '2026-11-26T00:00:00.000Z', msg, err: { message: 'was gone' } })}\n`;
const served = (status: number) =>
  `{"level":"info","msg":"request","method":"GET","path":"/x","route":"/x","status":${status},"duration_ms":1.2}\n`;

describe('a look at a log', () => {
  test('counts the errors that come from then on, 5xx among them, and degrades beyond the bound', async () => {
    const path = join(await temporaryFolder(), 'app.log');
    await writeFile(path, error('long ago').repeat(100));
    const lookAgain = looker('log', { path, errors: 2 });
    expect(await lookAgain()).toEqual({ outcome: 'ok', detail: `${path} had 0 errors and 0 B in the last minute` });
    await appendFile(path, error('order failed') + served(200) + served(404) + served(503) + '{"msg":"says \\"level\\":\\"error\\""}\n');
    expect(await lookAgain()).toMatchObject({ outcome: 'ok', detail: expect.stringContaining('had 2 errors') });
    await appendFile(path, error('once more'));
    expect(await lookAgain()).toEqual({ outcome: 'degraded', detail: expect.stringMatching(/had 3 errors .*; more errors than 2$/) });
  });

  test('that grows too fast, or too large, is degraded', async () => {
    const path = join(await temporaryFolder(), 'app.log');
    const lookAgain = looker('log', { path, growth: '1MiB', largest: '3MiB' });
    expect(await lookAgain()).toEqual({ outcome: 'ok', detail: `${path} is not there yet` });
    await writeFile(path, served(200).repeat(20_000));
    expect(await lookAgain()).toEqual({ outcome: 'degraded', detail: expect.stringContaining('it grows by more than 1.0 MiB') });
    await appendFile(path, served(200).repeat(20_000));
    expect(await look('log', { path, largest: '3MiB' })).toEqual({
      outcome: 'degraded',
      detail: expect.stringContaining('more than 3.0 MiB'),
    });
  });

  test('that cannot be read is the monitor’s own fault', async () => {
    expect(await look('log', { path: '/etc/passwd/app.log' })).toEqual({ outcome: 'faulty', detail: expect.stringContaining('ENOTDIR') });
  });

  test('counts from the beginning what was cut to nothing', async () => {
    const path = join(await temporaryFolder(), 'app.log');
    await writeFile(path, served(200).repeat(10));
    const follow = followLog(path);
    await follow();
    await truncate(path);
    await appendFile(path, error('after the cut'));
    expect(await follow()).toMatchObject({ errors: 1 });
  });
});

/** Written whole, in two parts, renamed away, or looked at. */
const step = fc.oneof(
  fc.constant('write' as const),
  fc.constant('half' as const),
  fc.constant('rotate' as const),
  fc.constant('look' as const),
);

test('over any rotation each error counts once, and all of them count', async () => {
  const dir = await temporaryFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const folder = join(dir, String((run += 1)));
      await mkdir(folder);
      const path = join(folder, 'app.log');
      await writeFile(path, error('before'));
      const follow = followLog(path);
      await follow();
      let [written, counted, rotations, isHalf, isLooked] = [0, 0, 0, false, true];
      for (const each of steps) {
        if (each === 'write' || each === 'half') {
          const line = error(`number ${written}`);
          const half = Math.floor(line.length / 2);
          if (isHalf) await appendFile(path, line.slice(half));
          else await appendFile(path, each === 'half' ? line.slice(0, half) : line);
          isHalf = !isHalf && each === 'half';
          if (!isHalf) written += 1;
        }
        // Rotated within two looks once at most: the writer goes over between two lines.
        if (each === 'rotate' && !isHalf && isLooked) {
          await rename(path, join(folder, `app.log-${(rotations += 1)}`));
          await writeFile(path, '');
          isLooked = false;
        }
        if (each === 'look') {
          counted += (await follow()).errors;
          isLooked = true;
        }
      }
      counted += (await follow()).errors;
      expect(counted).toBe(written);
      await rm(folder, { recursive: true });
    }),
    { numRuns: 100 },
  );
});
