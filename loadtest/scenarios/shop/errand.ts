import type { Step } from '../../generate/step.ts';
import type { Buyer } from './buyer.ts';
import { problemCode, type Answer, type Excuse, type Fault } from './faults.ts';
import type { OrderAttempt } from './history.ts';
import type { Market } from './market.ts';
import type { Shelf } from './shelf.ts';

/** What an answer was worth, and what is wrong with it. */
export type Judged = { readonly outcome: 'ok' | 'refused' | 'limited' | 'http-error' | 'wrong-answer'; readonly fault?: Fault };

/** A request of the shop that knows what its answer must be, and tells the buyer's memory of it. */
export type Errand = Step & {
  readonly key?: string;
  readonly judge: (answer: Answer) => Judged;
  /** No answer came. */
  readonly lost?: () => void;
};

export type ErrandOptions = {
  readonly shelf: Shelf;
  readonly market: Market;
  readonly buyer: Buyer;
  /** The buyer's credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly record: (attempt: OrderAttempt) => void;
  readonly now: () => number;
};

export type Look = (answer: Answer) => Fault | undefined;

/** Statuses first: the limit of rates, and what a server may say when it is in trouble, are counted elsewhere. */
export function judgeStatus(answer: Answer, wanted: number, look: Look, unless?: Excuse): Judged {
  const { status } = answer;
  if (status === 429) return { outcome: 'limited' };
  if (status >= 500) return { outcome: 'http-error' };
  const fault = status === wanted ? look(answer) : { ...wrongStatus(answer, wanted), ...(unless && { unless }) };
  return fault ? { outcome: 'wrong-answer', fault } : { outcome: 'ok' };
}

function wrongStatus({ status, body }: Answer, wanted: number): Fault {
  return { rule: 'answer-status', detail: `${status} (${problemCode(body) ?? body.slice(0, 80)}) instead of ${wanted}` };
}
