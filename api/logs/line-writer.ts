import * as fs from 'node:fs';
import { closeSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type LineWriterOptions = {
  /** Told of trouble in words for people, once until writing succeeds again. */
  readonly onProblem: (message: string) => void;
  /** Longest time a line waits for others to be written with it. */
  readonly flushAfterMs?: number;
};

/** Whole lines are written together up to this size; appends of this size by several processes do not mix. */
const maxBatchChars = 16_384;
const maxWaitingChars = 8 * 1024 * 1024;
const retryAfterMs = 200;
const closeWithinMs = 1_000;

/**
 * Writes lines to a file descriptor in batches of whole lines, one after the other, without ever making the caller wait.
 * What cannot be written is tried again; beyond 8 MiB of waiting lines, new ones are dropped and counted.
 */
export class LineWriter {
  readonly #onProblem: LineWriterOptions['onProblem'];
  readonly #flushAfterMs: number;
  #fd: number;
  #nextFd: number | undefined = undefined;
  #waiting: string[] = [];
  #waitingChars = 0;
  #isWriting = false;
  #isReported = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  dropped = 0;

  constructor(fd: number, { onProblem, flushAfterMs = 50 }: LineWriterOptions) {
    this.#fd = fd;
    this.#onProblem = onProblem;
    this.#flushAfterMs = flushAfterMs;
  }

  /** Where the next batch goes. */
  get fd(): number {
    return this.#nextFd ?? this.#fd;
  }

  /** Takes one whole line, newline included. */
  write(line: string): void {
    if (this.#waitingChars > maxWaitingChars) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    if (this.#isWriting) return;
    if (this.#waitingChars >= maxBatchChars) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#flushAfterMs);
  }

  /** Writes to another descriptor from the next batch on, and closes the former. */
  moveTo(fd: number): void {
    if (this.#nextFd !== undefined) closeSync(this.#nextFd);
    this.#nextFd = fd;
    if (!this.#isWriting) this.#adoptNext();
  }

  /** Writes at once what is left, as far as the reader takes it; for the sudden end of a process. */
  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isWriting) this.#adoptNext();
    while (this.#waiting.length > 0) if (!writeAllSync(this.#fd, this.#takeBatch())) return;
  }

  /** Writes what is left, waiting a second at most for what is on its way. The descriptor stays open. */
  async finish(): Promise<void> {
    const endsAt = performance.now() + closeWithinMs;
    while (this.#isWriting && performance.now() < endsAt) await sleep(5);
    this.flushSync();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isWriting) this.#writeNext();
  }

  #writeNext(): void {
    this.#isWriting = this.#waiting.length > 0;
    this.#adoptNext();
    if (this.#isWriting) this.#writeRest(this.#takeBatch(), 0);
  }

  #writeRest(buffer: Buffer, offset: number): void {
    fs.write(this.#fd, buffer, offset, buffer.length - offset, null, (err, written) => {
      if (err) {
        this.#retryLater(err, buffer, offset);
        return;
      }
      this.#isReported = false;
      if (offset + written < buffer.length) this.#writeRest(buffer, offset + written);
      else this.#writeNext();
    });
  }

  #retryLater(err: NodeJS.ErrnoException, buffer: Buffer, offset: number): void {
    // A slow reader of standard output is no trouble, only a reason to wait.
    const isTrouble = err.code !== 'EAGAIN';
    if (isTrouble && !this.#isReported) this.#onProblem(`log lines cannot be written: ${err.message}`);
    this.#isReported ||= isTrouble;
    const retry = (): void => {
      if (offset === 0) this.#adoptNext();
      this.#writeRest(buffer, offset);
    };
    setTimeout(retry, retryAfterMs).unref();
  }

  #adoptNext(): void {
    if (this.#nextFd === undefined) return;
    closeSync(this.#fd);
    this.#fd = this.#nextFd;
    this.#nextFd = undefined;
  }

  #takeBatch(): Buffer {
    let chars = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || chars + (this.#waiting[count] as string).length <= maxBatchChars)) {
      chars += (this.#waiting[count] as string).length;
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    this.#waitingChars -= chars;
    return Buffer.from(batch.join(''), 'utf8');
  }
}

/** @returns false when the reader does not take it; at the end of a process there is no time to wait for one. */
function writeAllSync(fd: number, buffer: Buffer): boolean {
  try {
    for (let offset = 0; offset < buffer.length;) offset += writeSync(fd, buffer, offset);
    return true;
  } catch {
    return false;
  }
}
