import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { SeenOrder } from '#loadtest/scenarios/shop/look-at-orders.ts';
import { operatorKey } from '../../support/api-process.ts';
import { insist, pause, send, type Answer, type Course, type Write } from '../asking.ts';

/** Those who work in the shop: they begin on orders, take pieces back, and edit the same products as their colleagues. */

export type StaffOptions = {
  readonly course: Course;
  readonly random: Random;
  /** Numbers the keys and words of this one. */
  readonly name: string;
  readonly placed: readonly SeenOrder[];
  readonly registers: Registers;
};

/** Products that are not sold, whose description is a list of words; and what is known of them. */
export type Registers = {
  readonly ids: readonly number[];
  /** By register: the newest version that somebody has been told of. */
  readonly answered: Map<number, number>;
  /** How many words have been asked for in all, which says which registers are in use. */
  words: number;
};

export const headersOfStaff = { 'x-api-key': operatorKey };

/** As a description has room for, at six characters a word. */
const wordsEach = 250;
/** So that several edit the same one. */
const inUseAtOnce = 3;

export async function serve({ course, random, name, placed, registers }: StaffOptions): Promise<void> {
  for (let number = 1; !course.isOver(); number += 1) {
    const order = placed.at(-randomInt(random, 1, Math.max(1, Math.min(100, placed.length))));
    const answer =
      random() < 0.7 || order === undefined
        ? await append(course, random, registers)
        : await work(course, random, order, `${name}-${number}`);
    await pause(random, answer);
  }
}

/** Reads a register and puts a word behind those in it, unless a colleague was faster. */
async function append(course: Course, random: Random, registers: Registers): Promise<Answer | undefined> {
  const { ids, answered } = registers;
  const place = Math.floor(registers.words / wordsEach) + randomInt(random, 0, inUseAtOnce - 1);
  const register = ids[place % ids.length] as number;
  const least = answered.get(register) ?? 1;
  const read = await course.ask({ method: 'GET', path: `/products/${register}`, headers: headersOfStaff });
  if (read?.status !== 200) return read;
  const { description, version } = JSON.parse(read.body) as { description: string | null; version: number };
  if (version < least)
    course.seen.push({
      rule: 'fresh-reads',
      detail: `register ${register} was shown at version ${version}, after ${least} had been answered`,
    });
  const word = (registers.words += 1).toString(36);
  const text = description === null ? word : `${description} ${word}`;
  if (text.length > 2_000 || read.etag === undefined) return read;
  const answer = await send(course, {
    actor: 'staff',
    key: `append-${register}-${word}`,
    what: { kind: 'append', register, word },
    request: {
      method: pick(random, ['PUT', 'PATCH'] as const),
      path: `/products/${register}`,
      headers: { ...headersOfStaff, 'if-match': read.etag },
      body: { description: text },
    },
  });
  if (answer?.status === 200) {
    const told = (JSON.parse(answer.body) as { version: number }).version;
    answered.set(register, Math.max(told, answered.get(register) ?? 1));
  }
  return answer;
}

async function work(course: Course, random: Random, order: SeenOrder, number: string): Promise<Answer | undefined> {
  const begun = await send(course, {
    actor: 'staff',
    key: `begin-${order.id}-${number}`,
    what: { kind: 'begin', order: order.id },
    request: {
      method: 'PUT',
      path: `/orders/${order.id}`,
      headers: { ...headersOfStaff, 'if-match': `"${order.version}"` },
      body: { status: 2 },
    },
  });
  if (begun?.status !== 200) return begun;
  const refund = (nth: number): Write => {
    const { id: line } = pick(random, order.lines ?? []);
    return {
      actor: 'staff',
      key: `refund-${order.id}-${number}-${nth}`,
      what: { kind: 'refund', order: order.id, line, quantity: 1 },
      request: {
        method: 'POST',
        path: `/orders/${order.id}/refunds`,
        headers: headersOfStaff,
        body: { lines: [{ line_id: line, quantity: 1 }] },
      },
    };
  };
  // More pieces than one of two may have, two at once, and one of them twice.
  const [first, second] = [refund(1), refund(2)];
  const [answer] = await Promise.all([insist(course, random, first), insist(course, random, second), send(course, first)]);
  return answer;
}
