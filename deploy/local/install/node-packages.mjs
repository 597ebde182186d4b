import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitForLock } from './exclusive-lock.mjs';

const lockTimeoutMs = 15 * 60_000;

/** What npm ci has to end in order; after that it is killed. It begins the next installation afresh either way. */
const stopGraceMs = 1_000;

/**
 * Runs `npm ci` when node_modules is missing or is not what package-lock.json says; otherwise does nothing. Of two at
 * once one installs and the other waits for it. When the signal fires, npm ci and all it has started are ended first.
 * @param {{ root: string, env: NodeJS.ProcessEnv, tell: (line: string) => void, signal: AbortSignal }} options
 * @returns {Promise<'present' | 'installed'>}
 */
export async function installNodePackages({ root, env, tell, signal }) {
  if (await isInstalled(root)) return 'present';
  const lock = await waitForLock(`install ${root}`, `process ${process.pid}`, {
    timeoutMs: lockTimeoutMs,
    onWait: (holder) => tell(`Waiting for another installation (${holder})…`),
    signal,
  });
  signal.throwIfAborted();
  if (!lock) throw new Error('another installation has not ended within 15 minutes; end it and try again');
  try {
    if (await isInstalled(root)) return 'present';
    tell('Installing packages (npm ci)…');
    await npmCi(root, env, signal);
    signal.throwIfAborted();
    if (!(await isInstalled(root))) throw new Error('npm ci left packages out; run "npm ci" by hand and read what it says');
    return 'installed';
  } finally {
    await lock.release();
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for, by the record npm keeps there. npm writes that record last,
 * so an installation that was cut off does not count. Optional packages may be absent: most are for other platforms.
 * @param {string} root
 */
async function isInstalled(root) {
  try {
    const [wanted, present] = await Promise.all([
      readPackages(join(root, 'package-lock.json')),
      readPackages(join(root, 'node_modules/.package-lock.json')),
    ]);
    // The record does not say whether install scripts ran; the one of the package "node" brings the Node that runs all else.
    if (wanted['node_modules/node']) await access(join(root, 'node_modules/node/bin/node'));
    return Object.entries(wanted).every(([path, entry]) => path === '' || isPresent(entry, present[path]));
  } catch {
    return false;
  }
}

async function readPackages(file) {
  return JSON.parse(await readFile(file, 'utf8')).packages;
}

function isPresent(wanted, present) {
  if (!present) return wanted.optional === true || wanted.devOptional === true;
  return present.version === wanted.version && present.integrity === wanted.integrity;
}

async function npmCi(root, env, signal) {
  // Under `npm start`, npm says where it is itself; the same one installs.
  const [file, ...args] = env['npm_execpath'] ? [process.execPath, env['npm_execpath']] : ['npm'];
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // A process group of its own, so that what npm starts can be ended with it.
  const child = spawn(file, [...args, ...options], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const ended = new Promise((resolve, reject) => {
    child.once('error', (err) => reject(new Error(`npm could not be started: ${err.message}`)));
    child.once('exit', (status, by) => resolve(status === 0 ? undefined : (by ?? `status ${status}`)));
  });
  const stop = () => void endGroup(child.pid);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const how = await ended.finally(() => signal.removeEventListener('abort', stop));
  if (signal.aborted) await endGroup(child.pid);
  else if (how !== undefined) throw new Error(`npm ci ended with ${how}; what it said stands above`);
}

/** Ends a process group and resolves once no member of it is left. */
async function endGroup(group) {
  const killsAt = performance.now() + stopGraceMs;
  for (let signal = 'SIGTERM'; signalGroup(group, signal); signal = performance.now() < killsAt ? 0 : 'SIGKILL') await sleep(50);
}

/** False when the group has no member. */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
