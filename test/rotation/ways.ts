import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt } from '#loadtest/generate/random.ts';
import { diskLogFiles } from '#monitor/logs/log-files.ts';
import { alwaysDue, inFolder, never, settled, whileWriting, type ArmOptions, type Outcome } from './stage.ts';

/** From one rotation to the next, at random. */
const pause = ({ random }: ArmOptions): Promise<void> => sleep(randomInt(random, 30, 200));

/** The monitor's: renamed, and compressed once every writer has said that it went over. */
export const playOurs = (options: ArmOptions): Promise<Outcome> =>
  inFolder(async (dir) => {
    const rotation = alwaysDue(dir);
    const work = async () => {
      while (rotation.renames() < options.rotations) {
        const before = rotation.renames();
        await rotation.run(never);
        if (rotation.renames() > before) options.onRotated();
        await pause(options);
      }
      return { rotations: rotation.renames(), faults: [] };
    };
    try {
      return await whileWriting(dir, options, { work, settle: () => settled(rotation) });
    } finally {
      rotation.close();
    }
  });

/** As logrotate does with `copytruncate`: a copy up to the end, to the disk, and then the file is cut. */
export const playCopyTruncate = (options: ArmOptions): Promise<Outcome> =>
  playWay(options, async (path, archive) => {
    await pipeline(createReadStream(path), createWriteStream(archive, { mode: 0o640, flush: true }));
    await truncate(path);
  });

/** Renamed and compressed at once, whoever still writes to it: as with neither `delaycompress` nor an acknowledgement. */
export const playAtOnce = (options: ArmOptions): Promise<Outcome> =>
  playWay(options, async (path, archive) => {
    await rename(path, archive);
    await diskLogFiles.compress(archive, never);
    await rename(`${archive}.gz.part`, `${archive}.gz`);
    await rm(archive);
  });

function playWay(options: ArmOptions, rotate: (path: string, archive: string) => Promise<void>): Promise<Outcome> {
  return inFolder((dir) => {
    const work = async () => {
      const path = join(dir, 'access.log');
      for (let round = 0; round < options.rotations; round += 1) {
        await pause(options);
        // After a renaming there is none until a writer has made it.
        for (let isThere = false; !isThere; await sleep(5))
          isThere = await open(path).then(
            (file) => file.close().then(() => true),
            () => false,
          );
        await rotate(path, join(dir, `access.log-${20_260_000 + round}`));
        options.onRotated();
      }
      return { rotations: options.rotations, faults: [] };
    };
    return whileWriting(dir, options, { work });
  });
}
