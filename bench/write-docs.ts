import { readFile, writeFile } from 'node:fs/promises';
import { FloorError } from './start-floor.ts';

const page = 'docs/performance.md';

/** Puts a table into its place in docs/performance.md, which comments of that name mark. @throws {FloorError} when there is none */
export async function writeTable(name: string, table: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [from, to] = [`<!-- ${name}: npm run bench -- ${name} --docs -->\n`, `\n<!-- /${name} -->`];
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start < 0 || end < start) throw new FloorError(`${page} has no place for ${name}`);
  await writeFile(page, `${text.slice(0, start + from.length)}\n${table}\n${text.slice(end)}`);
}
