import { setTimeout as sleep } from 'node:timers/promises';
import { randomInt, type Random } from '#loadtest/generate/random.ts';
import { loadtestKey } from '../../support/api-process.ts';
import { insist, isOpen, send, type Ask, type Course, type Write } from '../asking.ts';

/** One who registers, and deletes the account while things of it are still on their way. */

export type LeaverOptions = {
  readonly course: Course;
  readonly random: Random;
  readonly name: string;
  readonly products: readonly number[];
};

export async function comeAndGo({ course, random, name, products }: LeaverOptions): Promise<void> {
  for (let number = 1; !course.isOver(); number += 1) {
    const askedAtMs = course.now();
    const client = await register(course, random, `${name}-${number}`);
    // What is to meet has to be sent within about the time in which the shop does it, however fast the machine is.
    const withinMs = Math.min(course.now() - askedAtMs, mostApartMs);
    if (client === undefined) await sleep(100);
    else await leave({ course, random, client, products, withinMs });
    await sleep(randomInt(random, 10, 60));
  }
}

export type Account = { readonly clientId: number; readonly accessToken: string };

/** An account of a load test, which has its token at once. Undefined where the faults were too many. */
export async function register(course: Course, random: Random, name: string): Promise<Account | undefined> {
  const email = `${name}@torture.invalid`;
  const answer = await insist(course, random, {
    actor: 'loadtest',
    key: name,
    what: { kind: 'register', email },
    request: {
      method: 'POST',
      path: '/clients',
      headers: { 'x-api-key': loadtestKey },
      body: { name: 'Leo', lastname: 'Paz', email },
    },
  });
  if (answer?.status !== 201) return undefined;
  const { id_key: clientId, access_token: accessToken } = JSON.parse(answer.body) as { id_key: number; access_token: string };
  return { clientId, accessToken };
}

const mostApartMs = 150;

type Leaving = Pick<LeaverOptions, 'course' | 'random' | 'products'> & { readonly client: Account; readonly withinMs: number };

async function leave({ course, random, client: { clientId: client, accessToken }, products, withinMs }: Leaving): Promise<void> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const actor = `${client}`;
  const soon = (): Promise<void> => sleep(random() * withinMs);
  const address = (number: number): Write => ({
    actor,
    key: `address-${number}`,
    what: { kind: 'address', client },
    request: {
      method: 'POST',
      path: '/addresses',
      headers,
      body: { client_id: client, street: 'Calle Mayor', number: `${number}`, city: 'Soria' },
    },
  });
  const lines = [{ product: products.at(-1) as number, quantity: 1 }];
  const order = (number: number): Write => ({
    actor,
    key: `order-${number}`,
    what: { kind: 'order', client, deliveryMethod: 1, lines },
    request: {
      method: 'POST',
      path: '/orders',
      headers,
      body: { client_id: client, delivery_method: 1, lines: lines.map(({ product, quantity }) => ({ product_id: product, quantity })) },
    },
  });
  const goodbye = async (): Promise<void> => {
    await soon();
    for (let left = 5; left > 0; left -= 1) {
      const answer = await send(course, {
        actor,
        key: 'leave',
        what: { kind: 'leave', client },
        request: { method: 'DELETE', path: `/clients/${client}`, headers },
      });
      if (!isOpen(answer) && answer?.status !== 503) return;
      await sleep(50);
    }
  };
  const placed = random() < 0.5 ? await insist(course, random, order(1)) : undefined;
  const later = (write: Write): Promise<unknown> => soon().then(() => send(course, write));
  // One of them may be under way just when the account goes.
  const last = placed?.status === 201 ? [cancelOf(actor, headers, placed.body)] : [2, 3, 4, 5].map(order);
  await Promise.all([send(course, address(1)), ...last.map(later), goodbye(), later(address(2))]);
}

function cancelOf(actor: string, headers: Ask['headers'], placed: string): Write {
  const { id_key: id } = JSON.parse(placed) as { id_key: number };
  return { actor, key: 'cancel', what: { kind: 'cancel', order: id }, request: { method: 'POST', path: `/orders/${id}/cancel`, headers } };
}
