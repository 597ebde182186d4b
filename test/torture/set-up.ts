import { createRandom } from '#loadtest/generate/random.ts';
import { readGoods } from '#loadtest/scenarios/shop/catalogue.ts';
import type { SeenOrder } from '#loadtest/scenarios/shop/look-at-orders.ts';
import { markLedger } from '#loadtest/scenarios/shop/read-books.ts';
import type { Product } from '#loadtest/scenarios/shop/shelf.ts';
import { createHttpClient, forEachOf } from '#loadtest/targets/http-client.ts';
import { openCourse } from './asking.ts';
import type { Known } from './clients/keeping.ts';
import { register, type Account } from './clients/leaver.ts';
import { headersOfStaff, type Registers } from './clients/staff.ts';
import type { Stack } from './stack.ts';

/** What a round begins with: goods, registers, and the accounts of those who stay. */

/** How many of each kind of client. */
export type Crowd = {
  readonly buyers: number;
  readonly keepers: number;
  readonly staff: number;
  readonly sessions: number;
  readonly changers: number;
  readonly leavers: number;
};

export type Shop = {
  /** For sale to everybody, the scarce ones first. */
  readonly products: readonly Product[];
  readonly registers: Registers;
  readonly buyers: readonly Account[];
  readonly mark: Awaited<ReturnType<typeof markLedger>>;
  readonly placed: SeenOrder[];
  readonly keepers: readonly Account[];
  /** Sold to keepers alone. */
  readonly kept: readonly number[];
  readonly known: Known[];
};

/** The first of them are few, and everybody wants them. */
const stocks = [...Array.from({ length: 4 }, () => 60), ...Array.from({ length: 36 }, () => 900_000)];
const keptStocks = [12, 12, ...Array.from({ length: 10 }, () => 900_000)];
const registerCount = 150;

/** @throws when the shop does not take them: nothing torments it yet */
export async function setUp({ origin, postgres }: Stack, { buyers: buyerCount, keepers: keeperCount }: Crowd, seed: number): Promise<Shop> {
  const http = createHttpClient(origin, 16);
  const course = openCourse(origin, 16, () => false);
  const accounts: Account[] = [];
  const goods = [
    ...[...stocks, ...keptStocks].map((stock, i) => ({ name: `Thing ${seed}-${i}`, price: 10 + i + 0.99, stock })),
    ...Array.from({ length: registerCount }, (_, i) => ({ name: `Register ${seed}-${i}`, price: 1 })),
  ];
  const ids: number[] = [];
  try {
    await forEachOf([...goods.keys()], 16, async (index) => {
      const answer = await http.send({ method: 'POST', path: '/api/v1/products', headers: headersOfStaff, body: goods[index] });
      if (answer.status !== 201) throw new Error(`no product was made: ${answer.text}`);
      ids[index] = (answer.json as { id_key: number }).id_key;
    });
    await forEachOf(
      Array.from({ length: buyerCount + keeperCount }, (_, i) => i),
      16,
      async (index) => {
        const account = await register(course, createRandom(seed, index), `buyer-${seed}-${index}`);
        if (account === undefined) throw new Error('no client was made');
        accounts[index] = account;
      },
    );
    const registersFrom = stocks.length + keptStocks.length;
    const products = new Map((await readGoods(http)).products.map((product) => [product.id, product]));
    return {
      products: ids.slice(0, stocks.length).flatMap((id) => products.get(id) ?? []),
      registers: { ids: ids.slice(registersFrom), answered: new Map(), words: 0 },
      buyers: accounts.slice(0, buyerCount),
      keepers: accounts.slice(buyerCount),
      kept: ids.slice(stocks.length, registersFrom),
      known: [],
      mark: await markLedger(postgres),
      placed: [],
    };
  } finally {
    await Promise.all([http.close(), course.close()]);
  }
}
