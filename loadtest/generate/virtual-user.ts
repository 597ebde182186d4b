import type { Profile } from '../measurement/measurement.ts';
import { createJourney, createOrdering, createReading, type Catalogue, type VisitWeights } from '../scenarios/shop/journey.ts';
import { createRandom, type Random } from './random.ts';
import type { Step } from '../scenarios/shop/answers.ts';

/** A client account made for the run; the token is a secret. */
export type VirtualClient = { readonly clientId: number; readonly accessToken: string };

/** One pretended person: an identity, a path through the shop and a habit of pausing, all from one seed. */
export type VirtualUser = {
  readonly index: number;
  readonly journey: Iterator<Step, never>;
  /** Milliseconds to think before the next request. */
  readonly thinkMs: () => number;
};

/** What the users of a crowd do all the time. */
const scripts = { shop: createJourney, read: createReading, order: createOrdering } as const;

export type Crowd = {
  readonly script: keyof typeof scripts;
  readonly runId: string;
  readonly profile: Profile;
  readonly catalogue: Catalogue;
  readonly weights: VisitWeights;
  readonly slowShare: number;
};

/** @param index of the user over all processes: user 17 does the same whichever process plays it */
export function createVirtualUser(crowd: Crowd, client: VirtualClient, index: number): VirtualUser {
  const { seed, thinkMs } = crowd.profile;
  const journey = scripts[crowd.script]({
    catalogue: crowd.catalogue,
    random: createRandom(seed, 2 * index),
    weights: crowd.weights,
    clientId: client.clientId,
    keyPrefix: `${crowd.runId}-${index}`,
    slowShare: crowd.slowShare,
  });
  return { index, journey, thinkMs: thinkTime(createRandom(seed, 2 * index + 1), thinkMs) };
}

/** Pauses have a stream of their own: another think time leaves the requests as they are. */
const thinkTime =
  (random: Random, [least, most]: readonly [number, number]) =>
  (): number =>
    least + random() * (most - least);

/** Header fields of a request, the user's credential among them. */
export function requestHeaders(accessToken: string, step: Step): Record<string, string> {
  return {
    authorization: `Bearer ${accessToken}`,
    ...(step.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(step.idempotencyKey === undefined ? {} : { 'idempotency-key': step.idempotencyKey }),
  };
}
