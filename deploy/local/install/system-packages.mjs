import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { waitForLock } from './exclusive-lock.mjs';

const lockTimeoutMs = 10 * 60_000;

/** Programs of Debian packages that tests use. Chromium is large, so it is named but not installed here. */
const tools = [
  { program: 'redis-server', package: 'redis-server', isInstalledHere: true },
  { program: 'pg_dump', package: 'postgresql-client', isInstalledHere: true },
  { program: 'strace', package: 'strace', isInstalledHere: true },
  { program: 'chromium', package: 'chromium', isInstalledHere: false },
];

/**
 * Installs what the tests need through apt where it may (root, apt-get there); else names the command. Never fails: tests
 * whose program is missing are skipped and say so.
 * @param {{ env: NodeJS.ProcessEnv, tell: (line: string) => void, isRoot?: boolean }} options
 */
export async function installSystemPackages({ env, tell, isRoot = process.getuid?.() === 0 }) {
  const wanted = missingTools(env).filter((tool) => tool.isInstalledHere);
  if (wanted.length > 0 && isRoot && hasProgram('apt-get', env)) await aptInstall(wanted, env, tell);
  for (const tool of missingTools(env)) {
    tell(
      `${tool.program} is not installed, so its tests are skipped. To run them: ${isRoot ? '' : 'sudo '}apt-get install ${tool.package}`,
    );
  }
}

const missingTools = (env) => tools.filter((tool) => !hasProgram(tool.program, env));

/** Whether a program stands on PATH. */
function hasProgram(program, env) {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function aptInstall(wanted, env, tell) {
  // apt's own lock waits for another install, but not for another update.
  const lock = await waitForLock('apt-get', `process ${process.pid}`, { timeoutMs: lockTimeoutMs, onWait: () => {} });
  try {
    const packages = wanted.filter((tool) => !hasProgram(tool.program, env)).map((tool) => tool.package);
    if (packages.length === 0) return;
    tell(`Installing ${packages.join(' and ')} (apt-get)…`);
    await aptGet(['update', '-qq'], env);
    await aptGet(['install', '-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', ...packages], env);
  } catch (err) {
    tell(`apt-get did not install it: ${err.message}`);
  } finally {
    await lock?.release();
  }
}

function aptGet(args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', args, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let tail = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (tail = (tail + text).slice(-2_000)));
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(lastError(tail) ?? `status ${status}`))));
  });
}

const lastError = (text) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('E:'))
    .at(-1);
