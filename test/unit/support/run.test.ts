import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

type Outcome = { readonly status: number | null; readonly lines: readonly string[] };

/** Runs `test/run.ts` on a folder that holds one test file. */
async function runOn(source: string, ...args: readonly string[]): Promise<Outcome> {
  const root = await temporaryFolder();
  await writeFile(join(root, 'vitest.config.ts'), 'export default {};\n');
  await writeFile(join(root, 'some.test.ts'), `import { beforeAll, describe, expect, test } from 'vitest';\n${source}\n`);
  const child = spawn(process.execPath, ['test/run.ts', '--root', root, '--config', join(root, 'vitest.config.ts'), ...args], {
    // Not what the vitest around this one has set for its own workers.
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.resume();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, lines: output.trimEnd().split('\n') };
}

const passes = "test('passes', () => expect(1).toBe(1));";
const fails = "test('fails', () => expect(1).toBe(2));";

describe('npm test', () => {
  test('ends with the line of totals, and 0 when nothing failed', async () => {
    const { status, lines } = await runOn(passes);
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
    expect(status).toBe(0);
  });

  test('ends with 1 when a test failed', async () => {
    const { status, lines } = await runOn(passes + fails);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
    expect(status).toBe(1);
  });

  test('lists each skipped test with its reason', async () => {
    const { status, lines } = await runOn(
      `${passes} test('needs Redis', (context) => context.skip('redis-server is not installed')); test.todo('later');`,
    );
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^skipped: .*some\.test\.ts: needs Redis: redis-server is not installed$/),
      expect.stringMatching(/^skipped: .*some\.test\.ts: later: to be written$/),
      '1 passed, 0 failed, 2 skipped',
    ]);
    expect(status).toBe(0);
  });

  test('names each test that passed only when it was played again, with what it had failed by', async () => {
    const { status, lines } = await runOn(
      "let tries = 0; test('holds at times', { retry: 1 }, () => expect(tries++).toBe(1)); test('never', { retry: 1 }, () => expect(1).toBe(2));",
    );
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^passed when played again: .*some\.test\.ts: holds at times: expected \+?0 to be 1/),
      '1 passed, 1 failed, 0 skipped',
    ]);
    expect(status).toBe(1);
  });

  test.each([
    ['a file that cannot be loaded', "import './absent.ts';"],
    ['a hook that throws', `${passes} describe('suite', () => { beforeAll(() => { throw new Error('no'); }); ${passes} });`],
    [
      'an error outside any test',
      `${passes} setTimeout(() => { throw new Error('late'); }); test('waits', () => new Promise((resolve) => setTimeout(resolve, 200)));`,
    ],
  ])('counts %s as a failure', async (_, source) => {
    const { status, lines } = await runOn(source);
    expect(lines.at(-1)).toMatch(/ passed, 1 failed, /);
    expect(status).toBe(1);
  });

  test('is a failure when nothing ran', async () => {
    const { status, lines } = await runOn(passes, 'no-such-file');
    expect(lines.at(-1)).toBe('0 passed, 0 failed, 0 skipped');
    expect(status).toBe(1);
  });

  test('takes options of vitest, and does not count what they leave out', async () => {
    const { status, lines } = await runOn(passes + fails, '-t', 'passes');
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
    expect(status).toBe(0);
  });
});
