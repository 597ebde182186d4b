import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { processesWith } from '#test/support/processes.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** An npm of our own: notes that it ran, takes a moment, and leaves node_modules as the lockfile says. */
const npm = `
  const fs = require('node:fs');
  fs.appendFileSync('npm-ran', process.argv.slice(2).join(' ') + '\\n');
  fs.rmSync('node_modules', { recursive: true, force: true });
  setTimeout(() => {
    if (fs.existsSync('npm-fails')) process.exit(1);
    fs.mkdirSync('node_modules');
    fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  }, Number(process.env.NPM_TAKES_MS ?? 10));
`;

const lockfile = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'shop' },
      'node_modules/koa': { version, integrity: `sha512-${version}` },
      'node_modules/for-another-platform': { version: '1.0.0', optional: true },
    },
  });

/** A checkout with nothing installed. */
async function checkout(): Promise<string> {
  const root = await temporaryFolder();
  await cp('deploy/local', join(root, 'deploy/local'), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  await writeFile(join(root, 'npm.cjs'), npm);
  await writeFile(join(root, 'package-lock.json'), lockfile('3.0.0'));
  return root;
}

type Outcome = { status: number | null; stderr: string };

async function install(root: string, mode: 'start' | 'test' = 'start', env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, 'deploy/local/install/install.mjs'), mode], {
    cwd: root,
    env: { PATH: process.env['PATH'], npm_execpath: join(root, 'npm.cjs'), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

const npmRuns = async (root: string): Promise<number> =>
  (await readFile(join(root, 'npm-ran'), 'utf8').catch(() => '')).split('\n').length - 1;

/** A PATH that holds only programs of our own, each noting that it ran. */
async function pathWith(root: string, programs: Readonly<Record<string, string>>): Promise<string> {
  const bin = join(root, 'bin');
  await mkdir(bin);
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${root}/ran\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return bin;
}

const ran = (root: string): Promise<string> => readFile(join(root, 'ran'), 'utf8').catch(() => '');
const all = { 'redis-server': '', pg_dump: '', chromium: '', strace: '' };

describe('npm packages', () => {
  test('are installed when there are none, and then left alone', async () => {
    const root = await checkout();
    expect(await install(root)).toEqual({ status: 0, stderr: 'Installing packages (npm ci)…\n' });
    expect(await install(root)).toEqual({ status: 0, stderr: '' });
    expect(await npmRuns(root)).toBe(1);
  });

  test('are installed with what only development needs, also where NODE_ENV says production', async () => {
    const root = await checkout();
    await install(root, 'start', { NODE_ENV: 'production' });
    expect(await readFile(join(root, 'npm-ran'), 'utf8')).toContain('ci --include=dev');
  });

  test('are installed again when the lockfile asks for another version', async () => {
    const root = await checkout();
    await install(root);
    await writeFile(join(root, 'package-lock.json'), lockfile('3.0.1'));
    expect((await install(root)).status).toBe(0);
    expect(await npmRuns(root)).toBe(2);
  });

  test('are installed again when an installation was cut off', async () => {
    const root = await checkout();
    await install(root);
    await rm(join(root, 'node_modules/.package-lock.json'));
    await install(root);
    expect(await npmRuns(root)).toBe(2);
  });

  test('count as present without those for other platforms', async () => {
    const root = await checkout();
    await mkdir(join(root, 'node_modules'));
    const present = { packages: { 'node_modules/koa': { version: '3.0.0', integrity: 'sha512-3.0.0' } } };
    await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify(present));
    await install(root);
    expect(await npmRuns(root)).toBe(0);
  });

  test('are installed once by two that start together', async () => {
    const root = await checkout();
    const slow = { NPM_TAKES_MS: '1500' };
    const outcomes = await Promise.all([install(root, 'start', slow), install(root, 'start', slow)]);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0]);
    expect(outcomes.filter(({ stderr }) => /^Waiting for another installation \(process \d+\)…\n$/.test(stderr))).toHaveLength(1);
    expect(await npmRuns(root)).toBe(1);
  });

  test('that cannot be installed are one line and exit code 1', async () => {
    const root = await checkout();
    await writeFile(join(root, 'npm-fails'), '');
    const outcome = await install(root);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('error: npm ci ended with status 1; what it said stands above\n');
    expect(outcome.stderr).not.toContain('    at ');
  });
});

describe('an installation that is interrupted', () => {
  /** Notes its child and lives on, as npm does for its own packages and their scripts. */
  const stubborn = `
    const { spawn } = require('node:child_process');
    process.on('SIGINT', () => {}).on('SIGTERM', () => {});
    spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', process.cwd()], { stdio: 'ignore' });
    require('node:fs').writeFileSync('npm-works', '');
    setInterval(() => {}, 1000);
  `;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s has ended npm and its children when it ends', async (signal) => {
    const root = await checkout();
    await writeFile(join(root, 'npm.cjs'), stubborn);
    const child = spawn(process.execPath, [join(root, 'deploy/local/install/install.mjs'), 'start'], {
      cwd: root,
      env: { PATH: process.env['PATH'], npm_execpath: join(root, 'npm.cjs') },
      stdio: 'ignore',
      detached: true,
    });
    await expect.poll(() => readdir(root), { timeout: 20_000 }).toContain('npm-works');
    const exited = once(child, 'exit');
    // As a terminal does: to the whole process group.
    process.kill(-(child.pid ?? 0), signal);
    await expect(exited).resolves.toEqual([130, null]);
    expect(processesWith(root)).toEqual([]);
  });

  test('does not stand in the way of the next', async () => {
    const root = await checkout();
    await writeFile(join(root, 'npm.cjs'), stubborn);
    const child = spawn(process.execPath, [join(root, 'deploy/local/install/install.mjs'), 'start'], {
      cwd: root,
      env: { PATH: process.env['PATH'], npm_execpath: join(root, 'npm.cjs') },
      stdio: 'ignore',
    });
    await expect.poll(() => readdir(root), { timeout: 20_000 }).toContain('npm-works');
    child.kill('SIGINT');
    await writeFile(join(root, 'npm.cjs'), npm);
    await expect(install(root)).resolves.toMatchObject({ status: 0 });
    expect(await npmRuns(root)).toBe(1);
    expect(processesWith(root)).toEqual([]);
  });
});

describe('programs of the system', () => {
  test('that are present are left alone', async () => {
    const root = await checkout();
    await install(root);
    const PATH = await pathWith(root, { ...all, 'apt-get': '' });
    expect(await install(root, 'test', { PATH })).toEqual({ status: 0, stderr: '' });
    expect(await ran(root)).toBe('');
  });

  test('are not asked for by npm start', async () => {
    const root = await checkout();
    await install(root);
    const PATH = await pathWith(root, { 'apt-get': '' });
    expect(await install(root, 'start', { PATH })).toEqual({ status: 0, stderr: '' });
  });

  test.runIf(process.getuid?.() === 0)('that are missing are installed by root through apt', async () => {
    const root = await checkout();
    await install(root);
    const PATH = await pathWith(root, {
      pg_dump: '',
      strace: '',
      chromium: '',
      'apt-get': `: > ${root}/bin/redis-server; /bin/chmod 755 ${root}/bin/redis-server`,
    });
    expect(await install(root, 'test', { PATH })).toEqual({ status: 0, stderr: 'Installing redis-server (apt-get)…\n' });
    expect(await ran(root)).toMatch(/^apt-get update .*\napt-get install .* redis-server\n$/);
  });

  test('that cannot be installed are named with the command that would, and all goes on', async () => {
    const root = await checkout();
    await install(root);
    const PATH = await pathWith(root, { pg_dump: '', 'apt-get': 'echo "E: Unable to fetch" >&2; exit 100' });
    const { status, stderr } = await install(root, 'test', { PATH });
    expect(status).toBe(0);
    expect(stderr).toMatch(/redis-server is not installed, so its tests are skipped\. To run them: (sudo )?apt-get install redis-server\n/);
    expect(stderr).toMatch(/chromium is not installed, .* apt-get install chromium\n/);
    expect(stderr).not.toContain('pg_dump');
  });
});
