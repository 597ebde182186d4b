import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';

/** What became of numbered lines. */
export type Account = {
  /** That stand in no file. */
  readonly lost: number;
  /** That stand there more than once. */
  readonly twice: number;
  /** That are no whole line. */
  readonly torn: number;
  /** Archives that are compressed, and those of them that cannot be read to their end. */
  readonly compressed: number;
  readonly halves: number;
  /** Names that stand there plain and compressed. */
  readonly doubleNames: number;
};

/** Log and archives of a folder, with neither what is half written nor the notes. */
export const logNames = (dir: string, file = 'access.log'): string[] =>
  readdirSync(dir)
    .filter((name) => name === file || name.startsWith(`${file}-`))
    .toSorted();

/**
 * Looks for each line that was written in the log and all of its archives, which are read one after the other.
 * @param written how many lines each writer wrote, by its number, of which the first is 1
 */
export async function accountFor(dir: string, written: readonly number[]): Promise<Account> {
  const seen = written.map((count) => new Uint8Array(count));
  let [twice, torn, halves] = [0, 0, 0];
  const names = logNames(dir);
  for (const name of names) {
    const isWhole = await eachLine(join(dir, name), (line, isEnded) => {
      // Where the disk was full a line may be begun anew.
      if (line === '') return;
      const [writer, number] = (isEnded ? requestOf(line) : undefined)?.split('-') ?? [];
      const own = seen[Number(writer) - 1];
      const index = Number(number);
      if (!own || !(index < own.length)) torn += 1;
      else if ((own[index] = (own[index] ?? 0) + 1) > 1) twice += 1;
    });
    if (!isWhole) halves += 1;
  }
  const lost = seen.reduce((sum, own) => sum + own.reduce((missing, times) => missing + (times === 0 ? 1 : 0), 0), 0);
  const compressed = names.filter((name) => name.endsWith('.gz'));
  return { lost, twice, torn, compressed: compressed.length, halves, doubleNames: doubleNames(names) };
}

/** Undefined for what is no whole line, such as one behind the beginning of another. */
function requestOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { readonly request_id: string }).request_id;
  } catch {
    return undefined;
  }
}

/** Names that stand there in both forms. Pure. */
export const doubleNames = (names: readonly string[]): number =>
  names.filter((name) => name.endsWith('.gz') && names.includes(name.slice(0, -'.gz'.length))).length;

/** @returns false when a compressed file ends too early, or is none */
async function eachLine(path: string, take: (line: string, isEnded: boolean) => void): Promise<boolean> {
  let rest = '';
  const split = async (content: AsyncIterable<Buffer>): Promise<void> => {
    const decoder = new StringDecoder();
    for await (const chunk of content) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line, true);
    }
    // A disk may have been full before the end of a line alone: such a line is begun anew as well.
    if (rest !== '') take(rest, false);
  };
  try {
    await (path.endsWith('.gz') ? pipeline(createReadStream(path), createGunzip(), split) : pipeline(createReadStream(path), split));
    return true;
  } catch {
    return false;
  }
}
