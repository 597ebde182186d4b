import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Starved } from './run-starved.ts';
import { ways, type Way } from './ways.ts';

const root = resolve(import.meta.dirname, '../..');
const places = { kept: join(root, 'loadtest/reports/starved.json'), page: join(root, 'docs/starved.md') };

/** A shop, and whether a verdict on it can be right however the client is starved. */
export type Shop = { readonly name: string; readonly says: string; readonly isRight: (verdict: Starved['verdict']) => boolean };

const key = ({ shop, way }: Pick<Starved, 'shop' | 'way'>): string => `${shop}, ${way}`;

/**
 * Adds results to those kept, and writes docs/starved.md once each shop has met each way.
 * @returns the pairs without a result, none when the page was written
 */
export async function publish(shops: readonly Shop[], results: readonly Starved[]): Promise<string[]> {
  const earlier = await readFile(places.kept, 'utf8').then(
    (text) => JSON.parse(text) as Starved[],
    () => [],
  );
  const all = new Map([...earlier, ...results].map((result) => [key(result), result]));
  await mkdir(dirname(places.kept), { recursive: true });
  await writeFile(places.kept, `${JSON.stringify([...all.values()], null, 2)}\n`);
  const pairs = shops.flatMap((shop) => ways.map((way) => ({ shop: shop.name, way: way.name })));
  const missing = pairs.map(key).filter((pair) => !all.has(pair));
  if (missing.length > 0) return missing;
  const resultOf = (shop: Shop, way: Way): Starved => all.get(key({ shop: shop.name, way: way.name })) as Starved;
  await writeFile(places.page, markdown(shops, resultOf));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [places.page]);
  return [];
}

function markdown(shops: readonly Shop[], resultOf: (shop: Shop, way: Way) => Starved): string {
  const rows = ways.map((way) => {
    const found = shops.map((shop) => {
      const { verdict, checks } = resultOf(shop, way);
      return `${verdict}${shop.isRight(verdict) ? '' : ' ✗'}${checks.length > 0 ? `: ${checks.slice(0, 4).join(', ')}` : ''}`;
    });
    return `| ${[way.says, ...found].join(' | ')} |`;
  });
  const commits = new Set(shops.flatMap((shop) => ways.map((way) => resultOf(shop, way).commit)));
  const right = shops.flatMap((shop) => ways.filter((way) => shop.isRight(resultOf(shop, way).verdict)));
  return `# Starved clients

What \`users\` (60 users, 8 s) says of shops that have all they need when its own client has not: never FAIL of a shop that is right,
never PASS of one that is not. A cell holds the verdict, then the checks that were missed or, of an INVALID run, may have been.
\`npm run starved\` plays all and writes this page; \`npm run starved -- SHOP…\` plays some again.

${right.length} of ${shops.length * ways.length} right. Played on ${[...commits].join(', ')}.

| the client | ${shops.map(({ name, says }) => `\`${name}\`: ${says}`).join(' | ')} |
| ${['', ...shops].map(() => '---').join(' | ')} |
${rows.join('\n')}
`;
}
