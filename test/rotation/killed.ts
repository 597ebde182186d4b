import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { randomInt } from '#loadtest/generate/random.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { inFolder, whileWriting, type ArmOptions, type Outcome } from './stage.ts';

/** The most calls to the disk that a rotation of one file makes when it finds a whole file and a half one to compress. */
const callsOfALife = 24;

/**
 * The monitor's own rotation in a process that is killed by SIGKILL in each of its lives: at each of its calls to the disk in turn,
 * before it or a moment after it began. Each life heals what the one before has left.
 */
export const playKilled = (options: ArmOptions): Promise<Outcome> =>
  inFolder(async (dir) => {
    const logDir = join(dir, 'logs');
    let kills = 0;
    const work = async () => {
      const [faults, looked] = [[] as string[], new Set<string>()];
      for (let life = 0; life < options.rotations; life += 1) {
        const killAt = (life % callsOfALife) + 1;
        const wasKilled = await live(dir, { killAt, afterMs: options.random() < 0.5 ? 0 : randomInt(options.random, 1, 40) });
        kills += wasKilled ? 1 : 0;
        faults.push(...halvesIn(logDir, looked));
        options.onRotated();
      }
      return { rotations: options.rotations, faults, remark: `${kills} kills` };
    };
    const settle = async (): Promise<readonly string[]> => {
      for (let life = 0; life < 2; life += 1) if (await live(dir)) return ['the last life ended by itself'];
      return readdirSync(logDir)
        .filter((name) => name.endsWith('.part'))
        .map((name) => `${name} is left`);
    };
    return whileWriting(logDir, options, { work, settle });
  });

/** Compressed archives that are no whole ones at this moment; each is looked at once, since the next life would heal it. */
function halvesIn(dir: string, looked: Set<string>): string[] {
  const fresh = readdirSync(dir).filter((name) => name.endsWith('.gz') && !looked.has(name));
  return fresh.flatMap((name) => {
    looked.add(name);
    try {
      gunzipSync(readFileSync(join(dir, name)));
      return [];
    } catch {
      return [`${name} had its name and was half`];
    }
  });
}

/** @returns whether it was killed */
async function live(dir: string, { killAt = 0, afterMs = 0 } = {}): Promise<boolean> {
  const names = { LOG_DIR: join(dir, 'logs'), STORE: join(dir, 'monitor.db'), KILL_AT: `${killAt}`, KILL_AFTER_MS: `${afterMs}` };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'rotator.ts')], {
    env: { ...cleanEnvironment(), ...names },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return signal === 'SIGKILL';
}
