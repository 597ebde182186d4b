import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from '#loadtest/generate/random.ts';
import type { Rotation } from '#monitor/logs/rotation.ts';
import { alwaysDue, inFolder, never, settled, whileWriting, type ArmOptions, type Outcome } from './stage.ts';

const sizeMiB = 640;
/** A full disk takes nothing of the logs nor of what is to be compressed, for as long as it lasts. */
const [shortestMs, longestMs] = [300, 1_500];
const leftBytes = 64 * 1024;

/**
 * The monitor's own rotation on a file system of memory that somebody else fills up again and again, in the middle of the writing and of
 * the compressing, and clears. Every line that stood in a file, or that its writer did not count as given up, must be there in the end.
 * @throws where this user may not mount
 */
export const playFullDisk = (options: ArmOptions): Promise<Outcome> =>
  inFolder(async (dir) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', dir], { stdio: 'ignore' });
    const rotation = alwaysDue(dir);
    let [fillings, told] = [0, 0];
    const work = async () => {
      while (rotation.renames() < options.rotations) {
        const before = rotation.renames();
        await rotation.run(never);
        if (rotation.renames() > before) options.onRotated();
        await sleep(randomInt(options.random, 100, 300));
        if (options.random() >= 0.25) continue;
        fillings += 1;
        told += (await fillFor(dir, randomInt(options.random, shortestMs, longestMs), rotation)) ? 1 : 0;
      }
      return { rotations: rotation.renames(), faults: told === 0 ? ['no full disk was told'] : [], remark: `full ${fillings} times` };
    };
    try {
      return await whileWriting(dir, options, { work, settle: () => settled(rotation) });
    } finally {
      rotation.close();
      execFileSync('umount', ['--lazy', dir]);
    }
  });

/** Fills the disk, rotates on it, and clears it. @returns whether the rotation told that it could not go on */
async function fillFor(dir: string, forMs: number, rotation: Rotation): Promise<boolean> {
  const ballast = join(dir, 'ballast');
  const fd = openSync(ballast, 'w');
  const block = Buffer.alloc(1024 * 1024);
  try {
    for (let free = freeBytes(dir); free > leftBytes; free = freeBytes(dir))
      writeSync(fd, block, 0, Math.min(block.length, free - leftBytes));
  } finally {
    closeSync(fd);
  }
  const endsAt = performance.now() + forMs;
  let isTold = false;
  while (performance.now() < endsAt) {
    await sleep(100);
    await rotation.run(never);
    isTold ||= (await rotation.probe(never)).outcome === 'failed';
  }
  rmSync(ballast);
  return isTold;
}

function freeBytes(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}
