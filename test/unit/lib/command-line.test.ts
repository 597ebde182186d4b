import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { WriteStream } from 'node:tty';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress, runCommandLine, type Arguments, type CommandLine } from '#lib/command-line.ts';
import { BusyError, ConfigError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';

let stdout = '';
let stderr = '';
let received: Arguments | undefined;

beforeEach(() => {
  stdout = '';
  stderr = '';
  received = undefined;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const failing = (err: unknown) => ({
  synopsis: '',
  summary: 'Fails.',
  positionals: [0, 0] as const,
  run: async () => {
    throw err;
  },
});

const commandLine: CommandLine = {
  invocation: 'npm run thing --',
  summary: 'Does things.',
  verbs: {
    take: {
      synopsis: 'ID [--json]',
      summary: 'Takes one.',
      options: { json: { type: 'boolean' } },
      positionals: [1, 1],
      run: async (args) => {
        received = args;
        return EXIT.done;
      },
    },
    busy: failing(new BusyError('held by process 7')),
    config: failing(new ConfigError(['A=1: must be 2', 'B is not set; it is required'])),
    crash: failing(new Error('first line\n    second line password=hunter2')),
  },
};

const run = (...argv: string[]) => runCommandLine(commandLine, argv);

describe('runCommandLine', () => {
  test('runs the verb with its arguments and gives its exit code', async () => {
    await expect(run('take', '7', '--json')).resolves.toBe(EXIT.done);
    expect(received).toEqual({ positionals: ['7'], flags: { json: true } });
  });

  test('runs the default verb when none is named', async () => {
    await expect(runCommandLine({ ...commandLine, defaultVerb: 'take' }, ['9'])).resolves.toBe(EXIT.done);
    expect(received?.positionals).toEqual(['9']);
  });

  test.each([
    [['thorw'], 'error: unknown command "thorw"; known: take, busy, config, crash. See npm run thing -- --help\n'],
    [[], 'error: a command is missing; known: take, busy, config, crash. See npm run thing -- --help\n'],
    [['take'], 'error: take: an argument is missing; usage: npm run thing -- take ID [--json]\n'],
    [['take', '1', '2'], 'error: take: unexpected argument "2"; usage: npm run thing -- take ID [--json]\n'],
    [['take', '1', '--jsn'], "error: take: Unknown option '--jsn'; usage: npm run thing -- take ID [--json]\n"],
  ])('answers %j with one line and the exit code for misuse', async (argv, line) => {
    await expect(run(...argv)).resolves.toBe(EXIT.usage);
    expect(stderr).toBe(line);
    expect(received).toBeUndefined();
  });

  test('knows no command that every object has', async () => {
    await expect(run('toString')).resolves.toBe(EXIT.usage);
    expect(stderr).toContain('unknown command "toString"');
  });

  test('ends with the exit code an error asks for', async () => {
    await expect(run('busy')).resolves.toBe(EXIT.busy);
    expect(stderr).toBe('error: held by process 7\n');
  });

  test('prints each configuration problem on a line of its own', async () => {
    await expect(run('config')).resolves.toBe(EXIT.config);
    expect(stderr).toBe('error: A=1: must be 2\nerror: B is not set; it is required\n');
  });

  test('shows an unforeseen error on one line, without stack trace or secret', async () => {
    await expect(run('crash')).resolves.toBe(EXIT.failed);
    expect(stderr).toBe('error: first line second line password=(hidden)\n');
  });

  test('--help lists every verb, and after a verb explains it', async () => {
    await expect(run('--help')).resolves.toBe(EXIT.done);
    for (const verb of Object.keys(commandLine.verbs)) expect(stdout).toContain(`\n  ${verb}`);
    stdout = '';
    await expect(run('take', '--help')).resolves.toBe(EXIT.done);
    expect(stdout).toBe('Usage: npm run thing -- take ID [--json]\n\nTakes one.\n');
    expect(received).toBeUndefined();
  });
});

/** A terminal of so many columns and rows: what stands on it, line by line. */
function terminal(columns: number, rows: number) {
  const lines = [''];
  let row = 0;
  const stream = {
    isTTY: true,
    columns,
    rows,
    moveCursor: (_: number, down: number) => (row = Math.max(0, row + down)),
    cursorTo: () => {},
    clearScreenDown: () => lines.splice(row, lines.length, ''),
    write: (text: string) => {
      lines.splice(row, lines.length, ...text.split('\n'));
      row = lines.length - 1;
    },
  };
  return { stream: stream as unknown as WriteStream, lines };
}

describe('progress', () => {
  test('rewrites as many lines as it wrote, and leaves none behind', () => {
    const { stream, lines } = terminal(80, 24);
    const progress = createProgress(stream);
    progress.update('one\ntwo\nthree');
    progress.update('four\nfive');
    expect(lines).toEqual(['four', 'five']);
    progress.done();
    expect(lines).toEqual(['']);
  });

  test('never writes what it could not take back: beyond the width or the height of the terminal', () => {
    const { stream, lines } = terminal(5, 3);
    createProgress(stream).update('abcdefgh\nb\nc\nd');
    expect(lines).toEqual(['abcd', 'b']);
  });
});

test('a reader that closes after a line, as head does, is no failure', () => {
  const program = `
    const { print, runCommandLine } = await import(${JSON.stringify(resolve('lib/command-line.ts'))});
    const run = async () => { for (let i = 0; i < 2_000; i += 1) { print('x'.repeat(1_000)); await null; } return 0; };
    const verbs = { go: { synopsis: '', summary: '', positionals: [0, 0], run } };
    process.exitCode = await runCommandLine({ invocation: 'it', summary: '', verbs }, ['go']);`;
  const piped = `"$0" --input-type=module -e "$1" | head -n 1 | cut -c 1-3; echo "\${PIPESTATUS[0]}"`;
  const { stdout: out, stderr: err } = spawnSync('bash', ['-c', piped, process.execPath, program], { encoding: 'utf8', timeout: 20_000 });
  expect(err).toBe('');
  expect(out).toBe('xxx\n0\n');
});
