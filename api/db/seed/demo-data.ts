import type { Faker } from '@faker-js/faker';
import { demoCatalogue } from './demo-catalogue.ts';

/** Every place in a list stands for an id: the first category is 0, and a product names its category by that number. */
export type DemoData = {
  readonly categories: readonly string[];
  readonly products: readonly DemoProduct[];
  readonly clients: readonly DemoClient[];
  readonly orders: readonly DemoOrder[];
};

export type DemoProduct = {
  readonly name: string;
  readonly description: string;
  readonly priceCents: number;
  /** Before any of the orders. */
  readonly firstStock: number;
  readonly category: number;
};

export type DemoClient = { readonly name: string; readonly lastname: string; readonly email: string; readonly telephone: string };

export type DemoOrder = {
  readonly client: number;
  readonly date: Date;
  readonly deliveryMethod: number;
  readonly status: number;
  readonly lines: readonly { readonly product: number; readonly quantity: number }[];
};

const counts = { products: 1_000, clients: 200, orders: 500 } as const;
const firstOrderAt = Date.UTC(2026, 7, 1, 8);
const ninetyDaysMs = 90 * 86_400_000;

/** The demo shop, the same for the same seed of `faker`. */
export function makeDemoData(faker: Faker): DemoData {
  const products = Array.from({ length: counts.products }, (_, index) => makeProduct(faker, index));
  const clients = Array.from({ length: counts.clients }, (_, index) => makeClient(faker, index));
  const orders = Array.from({ length: counts.orders }, () => makeOrder(faker));
  return {
    categories: demoCatalogue.map(({ category }) => category),
    products,
    clients,
    orders: orders.toSorted((a, b) => a.date.getTime() - b.date.getTime()),
  };
}

function makeProduct(faker: Faker, index: number): DemoProduct {
  const category = index % demoCatalogue.length;
  const { things, from, to } = demoCatalogue[category] as (typeof demoCatalogue)[number];
  const thing = faker.helpers.arrayElement(things);
  const model = `${faker.string.alpha({ length: 1, casing: 'upper' })}${faker.number.int({ min: 100, max: 999 })}`;
  return {
    name: `${faker.commerce.productAdjective()} ${thing} ${model}`,
    description: `${faker.commerce.productAdjective()} ${thing.toLowerCase()} in ${faker.color.human()}, for ${faker.word.adjective()} days.`,
    priceCents: faker.number.int({ min: from, max: to }) * 100 - faker.helpers.arrayElement([1, 5, 10, 50]),
    firstStock: faker.number.int({ min: 40, max: 500 }),
    category,
  };
}

function makeClient(faker: Faker, index: number): DemoClient {
  const name = faker.person.firstName();
  const lastname = faker.person.lastName();
  const letters = `${name}.${lastname}`.toLowerCase().replaceAll(/[^a-z.]/g, '');
  return { name, lastname, email: `${letters}.${index + 1}@example.com`, telephone: `+1555${faker.string.numeric(7)}` };
}

function makeOrder(faker: Faker): DemoOrder {
  const lineCount = faker.number.int({ min: 1, max: 4 });
  const products = faker.helpers.uniqueArray(() => faker.number.int({ min: 0, max: counts.products - 1 }), lineCount);
  return {
    client: faker.number.int({ min: 0, max: counts.clients - 1 }),
    date: new Date(firstOrderAt + faker.number.int({ min: 0, max: ninetyDaysMs })),
    deliveryMethod: faker.number.int({ min: 1, max: 3 }),
    status: faker.helpers.weightedArrayElement([
      { value: 1, weight: 2 },
      { value: 2, weight: 2 },
      { value: 3, weight: 14 },
      { value: 4, weight: 2 },
    ]),
    lines: products.map((product) => ({ product, quantity: faker.number.int({ min: 1, max: 3 }) })),
  };
}
