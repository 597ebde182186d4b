import type { Client } from 'pg';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';

/** What is in the shop of this campaign, how it is read and how it is changed: each resource whose reads are joined. */

const pageSize = 10;
/** Of each client or product there are two, of each order two lines. */
const each = 2;

/** One read: its path below that of the resource, and how many things it shows when nothing is amiss. */
export type Asked = { readonly path: string; readonly shows: number };

type Thing = {
  /** Ids are 1 to this. */
  readonly count: number;
  readonly seed: string;
  /** A list that many ask for at once. */
  readonly list: (random: Random) => Asked;
  /** A change that is always allowed; raises the version. */
  readonly change: (random: Random) => object;
};

const clients = 20;
const orders = clients * each;

/** From 1 to `count`; the first are asked for most (Zipf's law), so that many meet at them, readers and writers. */
export const popular = (random: Random, count: number): number => Math.floor((count + 1) ** random());

/** Lists of a resource: the first page of all, or what belongs to one of `owners`. */
const pageOrThoseOf =
  (owner: string, owners: number) =>
  (random: Random): Asked =>
    random() < 0.5
      ? { path: `?limit=${pageSize}`, shows: pageSize }
      : { path: `?${owner}=${popular(random, owners)}&limit=${pageSize}`, shows: each };

const firstOf = (count: number) => (): Asked => ({ path: `?limit=${pageSize}`, shows: Math.min(pageSize, count) });

function productList(random: Random): Asked {
  const skip = pageSize * randomInt(random, 0, 2);
  const dice = random();
  if (dice < 0.5) return { path: `?skip=${skip}&limit=${pageSize}`, shows: pageSize };
  const search = '/filter?search=thing&sort_by=name';
  // From its start a search goes together with others, farther on it is one question of its own.
  return dice < 0.9 ? { path: `${search}&limit=${skip + 1}`, shows: skip + 1 } : { path: `${search}&skip=${skip}&limit=10`, shows: 10 };
}

const oneOf = (random: Random, words: readonly string[]): string => pick(random, words) + randomInt(random, 0, 999);

/** In the order in which their rows are made. */
export const things = {
  categories: {
    count: 10,
    seed: `INSERT INTO categories (name) SELECT 'group ' || n FROM generate_series(1, $1) n`,
    list: firstOf(10),
    change: () => ({}),
  },
  products: {
    count: 200,
    seed: `INSERT INTO products (name, price_cents, stock, category_id)
           SELECT 'thing ' || n, 100, 100, CASE WHEN n % 4 = 0 THEN 1 + n % 10 END FROM generate_series(1, $1) n`,
    list: productList,
    // All that the lines of orders could take of one is left.
    change: (random) => ({ stock: randomInt(random, 100, 999) }),
  },
  clients: {
    count: clients,
    seed: `INSERT INTO clients (name, lastname, email) SELECT 'Ana', 'Ruiz', 'ana' || n || '@example.org' FROM generate_series(1, $1) n`,
    list: firstOf(clients),
    change: (random) => ({ lastname: oneOf(random, ['Ruiz', 'Vega']) }),
  },
  addresses: {
    count: clients * each,
    seed: `INSERT INTO addresses (city, client_id) SELECT 'Lima', 1 + n % ${clients} FROM generate_series(1, $1) n`,
    list: pageOrThoseOf('client_id', clients),
    change: (random) => ({ city: oneOf(random, ['Lima', 'Quito']) }),
  },
  reviews: {
    count: 40,
    seed: `INSERT INTO reviews (rating_tenths, product_id, verified_purchase) SELECT 40, 1 + n % 20, false FROM generate_series(1, $1) n`,
    list: pageOrThoseOf('product_id', 20),
    change: (random) => ({ rating: randomInt(random, 1, 5) }),
  },
  bills: {
    count: clients * each,
    seed: `INSERT INTO bills (bill_number, payment_type, client_id) SELECT 'B-' || n, 1, 1 + n % ${clients} FROM generate_series(1, $1) n`,
    list: pageOrThoseOf('client_id', clients),
    change: (random) => ({ payment_type: randomInt(random, 1, 5) }),
  },
  orders: {
    count: orders,
    seed: `INSERT INTO orders (total_cents, delivery_method, client_id) SELECT 200, 1, 1 + n % ${clients} FROM generate_series(1, $1) n`,
    list: pageOrThoseOf('client_id', clients),
    change: (random) => ({ delivery_method: randomInt(random, 1, 3) }),
  },
  order_details: {
    count: orders * each,
    seed: `INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
           SELECT 1 + n % ${orders}, n, 1, 100, 'thing ' || n FROM generate_series(1, $1) n`,
    list: pageOrThoseOf('order_id', orders),
    change: (random) => ({ quantity: randomInt(random, 1, 9) }),
  },
} satisfies Record<string, Thing>;

export type Kind = keyof typeof things;
export const kinds = Object.keys(things) as readonly Kind[];

/** One of the kind, or a list. */
export function askOf(random: Random, kind: Kind): Asked {
  const { count, list }: Thing = things[kind];
  return random() < 0.75 ? { path: `/${popular(random, count)}`, shows: 1 } : list(random);
}

/** Makes all of it, in an empty shop. */
export async function addThings(client: Client): Promise<void> {
  for (const kind of kinds) await client.query(things[kind].seed.replace('$1', `${things[kind].count}`));
}
