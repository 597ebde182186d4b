import { createRandom } from '../../generate/random.ts';
import type { Crowd, CrowdOptions, Step, User } from '../../generate/step.ts';
import { judgeAnswer, type ShopRequest } from './answers.ts';
import type { ShopClient } from './clients.ts';
import { createJourney, createOrdering, createReading, type Catalogue, type VisitWeights } from './journey.ts';
import { createOrderBook, type OrderBook } from './order-book.ts';

/** What all users of a run share. */
export type ShopFacts = {
  readonly runId: string;
  readonly catalogue: Catalogue;
  readonly weights: VisitWeights;
  readonly slowShare: number;
};

/** What its users do all the time. */
const scripts = { shop: createJourney, read: createReading, order: createOrdering } as const;

type ShopStep = Step & ShopRequest;

/** The buyers of one generator process: every one with an account of its own, all with one order book. */
export function createCrowd({ script, seed, facts, record }: CrowdOptions): Crowd {
  const { runId, catalogue, weights, slowShare } = facts as ShopFacts;
  const book = createOrderBook();
  const walk = scripts[script as keyof typeof scripts];
  return {
    user: (index, client) => {
      const { clientId, accessToken } = client as ShopClient;
      const keyPrefix = `${runId}-${index}`;
      const journey = walk({ catalogue, random: createRandom(seed, 2 * index), weights, clientId, keyPrefix, slowShare });
      return createBuyer(journey, accessToken, book);
    },
    close: () => record({ kind: 'orders', account: book.account() }),
  };
}

function createBuyer(journey: Iterator<ShopRequest, never>, accessToken: string, book: OrderBook): User<ShopStep> {
  return {
    next: () => {
      const request = journey.next().value;
      book.sent(request);
      return { ...request, headers: headersOf(request, accessToken) };
    },
    answered: (step, answer) => {
      const ruling = judgeAnswer(step.expects, answer);
      book.answered(step, ruling.outcome, answer.body);
      return step.idempotencyKey === undefined ? ruling : { ...ruling, about: { key: step.idempotencyKey, ...ruling.about } };
    },
    unanswered: () => {},
  };
}

function headersOf({ body, idempotencyKey }: ShopRequest, accessToken: string): Record<string, string> {
  return {
    authorization: `Bearer ${accessToken}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  };
}
