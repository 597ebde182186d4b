import { createRandom } from '../../generate/random.ts';
import type { Crowd, CrowdOptions, Ruling, User } from '../../generate/step.ts';
import { createBuyer } from './buyer.ts';
import type { Catalogue } from './catalogue.ts';
import type { ShopClient } from './clients.ts';
import type { Errand } from './errand.ts';
import { createErrands } from './errands.ts';
import { problemCode, type Answer, type Excuse, type Fault } from './faults.ts';
import type { ShopEvent } from './history.ts';
import { createJourney, type VisitWeights } from './journey.ts';
import { createMarket } from './market.ts';
import { createShelf } from './shelf.ts';

/** What all users of a run share. */
export type ShopFacts = {
  readonly runId: string;
  readonly catalogue: Catalogue;
  readonly weights: VisitWeights;
  readonly slowShare: number;
  /** Others may buy, sell and edit in the same shop. */
  readonly isShared: boolean;
  /** Only statuses are looked at, where users start anew in a shop that goes on. */
  readonly isBare?: boolean;
};

/** The buyers of one generator process: every one with an account and a memory of its own, all in one market. */
export function createCrowd({ seed, facts, record }: CrowdOptions): Crowd {
  const { runId, catalogue, weights, slowShare, isShared, isBare = false } = facts as ShopFacts;
  const shelf = createShelf(catalogue.goods);
  const market = createMarket();
  const doubts = createDoubts(record);
  return {
    user: (index, client) => {
      const { clientId, accessToken } = client as ShopClient;
      const buyer = createBuyer(clientId);
      const errands = createErrands({
        shelf,
        market,
        buyer,
        headers: { authorization: `Bearer ${accessToken}` },
        record: (attempt) => record({ kind: 'order', ...attempt }),
        now: () => performance.timeOrigin + performance.now(),
      });
      const { orderable, words } = catalogue;
      const random = createRandom(seed, 2 * index);
      const slowRandom = createRandom(seed, -1 - index);
      const keyPrefix = `${runId}-${index}`;
      const journey = createJourney({ shelf, orderable, words, random, weights, buyer, market, errands, keyPrefix, slowShare, slowRandom });
      if (isBare) return bareUser(journey);
      return userOf(journey, (fault) => fault.unless !== undefined && (isShared || fault.unless.change === 'bought'), doubts.note);
    },
    close: doubts.close,
  };
}

function bareUser(journey: Iterator<Errand, never>): User<Errand> {
  return {
    next: () => journey.next().value,
    answered: (_errand, { status }) => ({
      outcome: status < 300 ? 'ok' : status === 429 ? 'limited' : status === 409 ? 'refused' : 'http-error',
    }),
    unanswered: () => {},
  };
}

type NoteDoubt = (fault: Fault & { unless: Excuse }, errand: Errand, answer: Answer) => void;

function userOf(journey: Iterator<Errand, never>, isDoubtful: (fault: Fault) => boolean, note: NoteDoubt): User<Errand> {
  return {
    next: () => journey.next().value,
    answered: (errand, answer): Ruling => {
      const { outcome, fault } = errand.judge(answer);
      if (outcome === 'http-error' || outcome === 'limited') return { outcome, fault: codeOf(answer), about: aboutOf(errand) };
      if (fault === undefined) return { outcome, about: aboutOf(errand) };
      if (!isDoubtful(fault)) return { outcome, fault: fault.rule, says: fault.detail, about: aboutOf(errand, fault) };
      note(fault as Fault & { unless: Excuse }, errand, answer);
      return { outcome: fault.rule === 'refusal' ? 'refused' : 'ok' };
    },
    unanswered: (errand) => errand.lost?.(),
  };
}

const codeOf = ({ body }: Answer): string => problemCode(body) ?? 'no problem document';

function aboutOf({ key }: Errand, { order, product }: Partial<Fault> = {}): Readonly<Record<string, string | number>> {
  return { ...(order !== undefined && { order }), ...(product !== undefined && { product }), ...(key !== undefined && { key }) };
}

const maxWitnesses = 3;

/** Faults that somebody else's work may excuse: written down, the first of each kind with its witness, and judged after the run. */
function createDoubts(record: (event: ShopEvent) => void): { note: NoteDoubt; close: () => void } {
  const counts = new Map<string, { rule: Fault['rule']; unless: Excuse; count: number }>();
  return {
    note: (fault, errand, answer) => {
      const { rule, unless, detail } = fault;
      const key = `${rule} ${JSON.stringify(unless)}`;
      const known = counts.get(key) ?? { rule, unless, count: 0 };
      known.count += 1;
      counts.set(key, known);
      if (known.count > maxWitnesses) return;
      const { [`x-request-id`]: requestId } = answer.headers;
      const witness = {
        says: detail,
        about: aboutOf(errand, fault),
        endpoint: errand.endpoint,
        status: answer.status,
        ...(requestId && { requestId }),
      };
      record({ kind: 'doubt', rule, unless, witness });
    },
    close: () => {
      for (const counted of counts.values()) record({ kind: 'doubts', ...counted });
    },
  };
}
