import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { RunningPart } from '#deploy/local/stack/keep-running.ts';
import { nodeProgram, type NodeProgram } from '#deploy/local/stack/node-program.ts';
import { freePort } from '#test/support/free-port.ts';
import { processesWith } from '#test/support/processes.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const serves = `
  import { createServer } from 'node:http';
  createServer((request, response) => response.end('well')).listen(process.env.PORT, '127.0.0.1');
`;

type Launched = { running: RunningPart; program: NodeProgram; folder: string };

async function launch(script: string, options: Partial<NodeProgram> = {}): Promise<Launched> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const program: NodeProgram = {
    name: 'API',
    script: join(folder, 'main.mjs'),
    env: { PORT: String(port) },
    outputFile: join(folder, 'logs/api.out.log'),
    healthUrl: `http://127.0.0.1:${port}/`,
    startTimeoutMs: 20_000,
    stopGraceMs: 10_000,
    ...options,
  };
  await writeFile(program.script, script);
  const running = await nodeProgram(program).launch();
  onTestFinished(() => running.stop());
  return { running, program, folder };
}

const never = new AbortController().signal;

describe('a node program', () => {
  test('is ready once its health address answers 200', async () => {
    const { running, program } = await launch(serves);
    await running.ready(never);
    expect((await fetch(program.healthUrl)).status).toBe(200);
  });

  test('is not ready while it answers anything else', async () => {
    const sick = serves.replace("response.end('well')", '(response.statusCode = 503, response.end())');
    const { running, program } = await launch(sick, { startTimeoutMs: 1_000 });
    await expect(running.ready(never)).rejects.toThrow(`API did not become healthy within 1 s; see ${program.outputFile}`);
  });

  test('that ends before it serves fails with what it said', async () => {
    const { running } = await launch("console.error('error: A=1: must be 2'); process.exitCode = 78;");
    await expect(running.ready(never)).rejects.toMatchObject({ exitCode: 78, problems: ['A=1: must be 2'] });
    await expect(running.ended).resolves.toBe('ended with status 78');
  });

  test('is given up when the signal fires, though it never answers', async () => {
    const hangs = "import { createServer } from 'node:http'; createServer(() => {}).listen(process.env.PORT, '127.0.0.1');";
    const { running } = await launch(hangs);
    const stop = new AbortController();
    const ready = running.ready(stop.signal);
    setTimeout(() => stop.abort(), 500);
    await expect(ready).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  test('writes to its output file', async () => {
    const { running, program } = await launch(`${serves} console.log('out'); console.error('err');`);
    await running.ready(never);
    await expect.poll(() => readFile(program.outputFile, 'utf8'), { timeout: 15_000 }).toBe('out\nerr\n');
  });

  test('that says more than 10 MiB has its output file set aside in between, and goes on', async () => {
    const talkative = `${serves} for (let line = 0; line < 120_000; line += 1) console.log('x'.repeat(100)); console.log('last');`;
    const { running, program } = await launch(talkative);
    await running.ready(never);
    await expect.poll(async () => (await readFile(program.outputFile, 'utf8')).endsWith('last\n'), { timeout: 15_000 }).toBe(true);
    const [before = 0, now = 0] = [`${program.outputFile}.1`, program.outputFile].map((file) => statSync(file).size);
    expect(before + now).toBe(120_000 * 101 + 5);
    expect(Math.max(before, now)).toBeLessThan(11 * 1024 * 1024);
  });

  test('that keeps log files itself has only its standard error written', async () => {
    const { running, program } = await launch(`${serves} console.log('out'); console.error('err');`, { keepsLogFiles: true });
    await running.ready(never);
    await expect.poll(() => readFile(program.outputFile, 'utf8'), { timeout: 15_000 }).toBe('err\n');
  });

  test('sees the environment it is given and nothing else', async () => {
    const { running, program } = await launch(`${serves} console.log(Object.keys(process.env).join());`);
    await running.ready(never);
    await expect.poll(() => readFile(program.outputFile, 'utf8'), { timeout: 15_000 }).toBe('PORT\n');
  });

  test('is stopped by SIGTERM and may end in its own time', async () => {
    const orderly = `${serves} process.once('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0); }, 100));`;
    const { running, program } = await launch(orderly);
    await running.ready(never);
    await running.stop();
    await expect(running.ended).resolves.toBe('ended with status 0');
    await expect(readFile(program.outputFile, 'utf8')).resolves.toBe('drained\n');
  });

  test('that does not end is killed with all its children after the grace period', async () => {
    const stubborn = `${serves}
      import { spawn } from 'node:child_process';
      process.on('SIGTERM', () => {});
      spawn(process.execPath, ['--eval', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', import.meta.filename]);`;
    const { running, folder } = await launch(stubborn, { stopGraceMs: 300 });
    await running.ready(never);
    await expect.poll(() => processesWith(folder).length, { timeout: 15_000 }).toBe(2);
    await running.stop();
    await expect(running.ended).resolves.toBe('was ended by SIGKILL');
    await expect.poll(() => processesWith(folder), { timeout: 15_000 }).toEqual([]);
  });

  test('that was killed leaves no child behind once it is stopped', async () => {
    const parent = `${serves}
      import { spawn } from 'node:child_process';
      spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)', import.meta.filename]);`;
    const { running, folder } = await launch(parent);
    await running.ready(never);
    await expect.poll(() => processesWith(folder).length, { timeout: 15_000 }).toBe(2);
    const main = processesWith(folder).find(({ commandLine }) => !commandLine.includes('--eval'));
    if (main) process.kill(main.pid, 'SIGKILL');
    await expect(running.ended).resolves.toBe('was ended by SIGKILL');
    await running.stop();
    await expect.poll(() => processesWith(folder), { timeout: 15_000 }).toEqual([]);
  });

  test('is not reached by a Ctrl-C in the terminal of the stack: it has a process group of its own', async () => {
    const { running, folder } = await launch(serves);
    await running.ready(never);
    const [found] = processesWith(folder);
    const stat = await readFile(`/proc/${found?.pid}/stat`, 'utf8');
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])).toBe(found?.pid);
  });
});
