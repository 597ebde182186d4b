// Not lib/lock: an installation runs under a Node that has no node:sqlite yet and cannot read TypeScript.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const answerTimeoutMs = 1_000;
const pollMs = 200;

/**
 * Waits until the lock of that name on this machine is free and takes it. The lock is a listening socket, so the kernel
 * gives it to one process only and frees it the moment that process ends, however it ends: no stale lock, no file.
 * @param {string} name any text; the same text is the same lock
 * @param {string} holder one line, told to those who come later
 * @param {{ timeoutMs: number, onWait: (holder: string) => void, signal?: AbortSignal }} options `onWait` is called once,
 * if there is a wait
 * @returns {Promise<{ release: () => Promise<void> } | undefined>} undefined when the time is up or the signal has fired
 */
export async function waitForLock(name, holder, { timeoutMs, onWait, signal }) {
  const address = lockAddress(name);
  const endsAt = performance.now() + timeoutMs;
  for (let told = false; ; told = true) {
    const lock = await takeLock(address, holder);
    if (lock.release) return lock;
    if (performance.now() > endsAt || signal?.aborted) return undefined;
    if (!told) onWait(lock.holder);
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

async function takeLock(address, holder) {
  for (let attempt = 1; ; attempt += 1) {
    const server = await listenOn(address, holder);
    if (server) return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    const answer = await askHolder(address);
    if (answer !== undefined) return { holder: answer };
    // Nobody answers there any more: released meanwhile, or a socket file that a killed holder left (not on Linux).
    if (process.platform !== 'linux') await rm(address, { force: true });
    if (attempt >= 5) return { holder: 'a process that does not answer' };
  }
}

/** On Linux a name in the abstract namespace, which has no file; elsewhere a socket file. */
function lockAddress(name) {
  const id = `atalaya-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  return process.platform === 'linux' ? `\0${id}` : join(tmpdir(), `${id}.sock`);
}

function listenOn(address, holder) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(holder);
    });
    server.once('error', (err) => (err.code === 'EADDRINUSE' ? resolve(undefined) : reject(err)));
    server.listen({ path: address, exclusive: true }, () => resolve(server.unref()));
  });
}

/** What the holder says; undefined when there is none. */
function askHolder(address) {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address);
    socket.setEncoding('utf8').setTimeout(answerTimeoutMs);
    socket.on('data', (chunk) => (text += chunk));
    socket.once('end', () => resolve(text));
    socket.once('timeout', () => {
      socket.destroy();
      resolve('a process that does not answer');
    });
    socket.once('error', () => resolve(undefined));
  });
}
