import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bareEnvironment, CommandError, CommandNotFoundError, runCommand, type Command, type RunOptions } from '#lib/run-command.ts';
import { isAlive } from '#test/support/processes.ts';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const timeoutMs = 10_000;
const shell = (script: string, env: Record<string, string> = {}): Command => ({ file: 'sh', args: ['-c', script], env });

async function failureOf(command: Command, options: Partial<RunOptions> = {}): Promise<CommandError> {
  const err: unknown = await runCommand(command, { timeoutMs, ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(err).toBeInstanceOf(CommandError);
  return err as CommandError;
}

async function writeMebibyte(stream: NodeJS.WritableStream): Promise<void> {
  stream.write(Buffer.alloc(1024 * 1024));
  stream.end();
}

describe('runCommand', () => {
  test('gives standard output', async () => {
    await expect(runCommand(shell('echo hello'), { timeoutMs })).resolves.toEqual({ stdout: 'hello\n' });
  });

  test('passes arguments as they are: no shell reads them', async () => {
    const { stdout } = await runCommand({ file: 'printf', args: ['%s', '$HOME; `id` *'] }, { timeoutMs });
    expect(stdout).toBe('$HOME; `id` *');
  });

  test('hands on only the environment it is given, PATH and LC_ALL', async () => {
    process.env['ATALAYA_SECRET_OF_CALLER'] = 'x';
    const { stdout } = await runCommand({ file: 'env', args: [], env: { GIVEN: '1' } }, { timeoutMs });
    delete process.env['ATALAYA_SECRET_OF_CALLER'];
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(new Set(names)).toEqual(new Set(['GIVEN', 'LC_ALL', 'PATH']));
  });

  test('fails with status and last line of standard error when the program fails', async () => {
    const err = await failureOf(shell('echo first >&2; echo the reason >&2; exit 3'));
    expect(err).toMatchObject({ message: 'sh ended with status 3: the reason', status: 3, stderrTail: 'first\nthe reason' });
  });

  test('hides secrets in what the program said', async () => {
    const err = await failureOf(shell('echo "password=hunter2 refused" >&2; exit 1'));
    expect(`${err.message} ${err.stderrTail}`).not.toContain('hunter2');
  });

  test('names a program that is not installed', async () => {
    const err = await failureOf({ file: 'no-such-program', args: [] });
    expect(err).toBeInstanceOf(CommandNotFoundError);
    expect(err.message).toBe('no-such-program is not installed or not on PATH');
  });

  test('ends the program and its children when time is up', async () => {
    let childPid = 0;
    const err = await failureOf(shell('sleep 60 & echo $!; wait'), {
      timeoutMs: 300,
      stdout: async (stream) => {
        childPid = Number(await text(stream));
      },
    });
    expect(err.message).toBe('sh took longer than 300 ms');
    await expect.poll(() => isAlive(childPid), { timeout: 15_000 }).toBe(false);
  });

  test('ends the program when canceled', async () => {
    const cancel = new AbortController();
    const failure = failureOf(shell('sleep 60'), { signal: cancel.signal });
    cancel.abort();
    expect((await failure).message).toBe('sh was canceled');
  });

  test.runIf(process.platform === 'linux')('ends a program that is bound to its caller when the caller is killed', async () => {
    const module = JSON.stringify(resolve('lib/run-command.ts'));
    const script = `import { runCommand } from ${module};
      await runCommand({ file: 'sh', args: ['-c', 'echo $$; exec sleep 60'], endsWithParent: true }, { timeoutMs: 60000, stdout: async (s) => { for await (const c of s) console.log(String(c)); } });`;
    const caller = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = (await once(caller.stdout, 'data')) as [Buffer];
    const pid = Number(chunk.toString());
    expect(isAlive(pid)).toBe(true);
    caller.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
  });

  test('waits for its stream consumers and passes on their failure', async () => {
    let done = false;
    const consume = async (stream: NodeJS.ReadableStream): Promise<void> => {
      await text(stream);
      await sleep(50);
      done = true;
    };
    await runCommand(shell('echo x'), { timeoutMs, stdout: consume });
    expect(done).toBe(true);
    const failing = runCommand(shell('echo x'), { timeoutMs, stdout: () => Promise.reject(new Error('disk full')) });
    await expect(failing).rejects.toThrow('disk full');
  });

  test('prefers the status of a program that ended early to the broken pipe this left', async () => {
    const err = await failureOf(shell('echo cannot read it >&2; exit 4'), { stdin: writeMebibyte });
    expect(err.message).toBe('sh ended with status 4: cannot read it');
  });
});

test.runIf(process.platform === 'linux').each([
  [undefined, ['output', 'end of input']],
  [1 << 20, ['end of input', 'output']],
])('a program that gathers %s bytes writes when it has them, or ends', async (gathersBytes, order) => {
  const seen: string[] = [];
  const { promise: output, resolve: onOutput } = Promise.withResolvers<void>();
  const command = { file: 'sed', args: ['p'], ...(gathersBytes === undefined ? {} : { gathersBytes }) };
  let bytes = 0;
  await runCommand(command, {
    timeoutMs,
    stdin: async (stream) => {
      stream.write('a line\n'.repeat(2_000));
      await Promise.race([output, sleep(gathersBytes === undefined ? timeoutMs : 300)]);
      seen.push('end of input');
      stream.end();
    },
    stdout: async (stream) => {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        if (bytes === 0) seen.push('output');
        bytes += chunk.length;
        onOutput();
      }
    },
  });
  expect(seen).toEqual(order);
  expect(bytes).toBe(2 * 2_000 * 'a line\n'.length);
});

test('a process of our own that needs no settings sees where compiled code is kept, and nothing else of the caller', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('AUTH_TOKEN_SECRET', 'known to nobody');
  vi.stubEnv('NODE_COMPILE_CACHE', '/compiled');
  expect(bareEnvironment()).toEqual({ NODE_COMPILE_CACHE: '/compiled' });
  vi.stubEnv('NODE_COMPILE_CACHE', undefined);
  expect(bareEnvironment()).toEqual({});
});
