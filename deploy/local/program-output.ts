import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

export type Output = {
  /** Give it to the program as standard output or standard error. */
  readonly fd: number;
  /** Call it once the program has it. */
  readonly handedOver: () => void;
  /** What was written since it was opened, its last 64 KiB. */
  readonly written: () => Promise<string>;
};

const maxBytes = 10 * 1024 * 1024;
const maxReadBytes = 64 * 1024;

/** Opens a program's output file for appending. One that has grown past 10 MiB is first set aside as `<file>.1`. */
export function openOutput(file: string): Output {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o640);
  const start = fstatSync(fd).size;
  return { fd, handedOver: () => closeSync(fd), written: () => readFrom(file, start) };
}

async function readFrom(file: string, start: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const from = Math.max(start, size - maxReadBytes);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.max(0, size - from)), position: from });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
