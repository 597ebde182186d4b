// Plain JavaScript: stripping types would need more memory than the whole thread does without.
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** `beats`: the main thread adds one each second. */
const { beats, noteFile, killAfterMs } = workerData;
const tickMs = 500;
let lastBeat = -1;
let stillSinceMs = performance.now();
let tickedMs = performance.now();

setInterval(() => {
  const now = performance.now();
  const beat = Atomics.load(beats, 0);
  // This thread was not running either: the process was suspended, or its machine was starved.
  const wasAsleep = now - tickedMs > 4 * tickMs;
  tickedMs = now;
  if (beat !== lastBeat || wasAsleep) {
    lastBeat = beat;
    stillSinceMs = now;
  }
  if (now - stillSinceMs < killAfterMs) return;
  try {
    writeFileSync(noteFile, JSON.stringify({ stoodStillMs: Math.round(now - stillSinceMs) }), { mode: 0o600 });
  } catch {
    // A full disk must not keep a frozen monitor alive.
  }
  process.kill(process.pid, 'SIGKILL');
}, tickMs);
