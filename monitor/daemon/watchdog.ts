import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#lib/logger.ts';

/** Longer than any single look, send or write keeps the loop; a frozen monitor tells nobody anything. */
const standstillMs = 30_000;

const noteFile = (dir: string): string => join(dir, 'watchdog.note');

/**
 * Reads the monitor's beats from its standard input. Two waits in a row without one, and it ends the monitor: after a pause
 * of the whole container the first wait is over before the monitor could beat again. Any failure but a wait that is over
 * ends the watchdog, not the monitor. A shell, since a thread of Node would need 12 MB.
 */
const script = `
missed=0
while :; do
  beat=$(timeout "$1" head -c 1)
  case $? in
  0) [ -n "$beat" ] || exit 0; missed=0 ;;
  124) missed=$((missed + 1)) ;;
  *) exit 1 ;;
  esac
  [ "$missed" -lt 2 ] || { echo "$3" >"$2"; kill -9 "$PPID"; exit 0; }
done`;

/**
 * Ends this process with SIGKILL when its event loop stands still for half a minute, blocked or suspended, and leaves a note
 * of it; whoever started it (compose, systemd, npm start) starts it again.
 */
export function startWatchdog(
  dir: string,
  { killAfterMs = standstillMs, logger }: { readonly killAfterMs: number | undefined; readonly logger: Logger },
): { readonly stop: () => void } {
  const waitSeconds = killAfterMs / 2 / 1_000;
  const args = ['-c', script, 'watchdog', String(waitSeconds), noteFile(dir), String(killAfterMs)];
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: '/usr/local/bin:/usr/bin:/bin' } });
  const timer = setInterval(() => child.stdin.write('.'), killAfterMs / 6);
  const end = (): void => clearInterval(timer);
  child.stdin.on('error', end);
  child.on('error', (err) => logger.error({ err }, 'no watchdog can be started; nobody ends a monitor that stands still'));
  child.on('exit', (code) => {
    end();
    // A signal to the whole group ends it with the monitor.
    if (code !== 0 && code !== null) logger.error({ code }, 'the watchdog has ended; nobody ends a monitor that stands still');
  });
  child.unref();
  timer.unref();
  return {
    stop: () => {
      end();
      child.stdin.destroy();
    },
  };
}

/** How long the process before stood still, in ms, when its watchdog ended it; asked once. */
export function takeWatchdogNote(dir: string): number | undefined {
  try {
    const stoodStillMs = Number(readFileSync(noteFile(dir), 'utf8'));
    rmSync(noteFile(dir), { force: true });
    return stoodStillMs;
  } catch {
    return undefined;
  }
}
