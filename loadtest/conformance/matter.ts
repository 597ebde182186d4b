import type { Outcome } from '../judge/outcome.ts';
import type { Declared, Exchange, Recording } from './exchange.ts';

export type Finding = {
  readonly outcome: Outcome;
  /** What was found, in one sentence. */
  readonly says: string;
  /** The exchanges that show it. */
  readonly witnesses: readonly Exchange[];
  /** Of INVALID: the client was late, so that another try may prove something. */
  readonly isLate?: true;
};

/** One clause that a rate limit keeps or breaks. */
export type Check = {
  /** Stable, for scripts. */
  readonly id: string;
  /** Where it is demanded: `draft-11 §3.1.1`, `RFC 9110 §10.2.3`, or `L1` to `L12` of docs/ratelimit-conformance.md. */
  readonly clause: string;
  /** The demand, as a sentence. */
  readonly title: string;
  /** What has to be played for it; with all of it skipped it is not checked. */
  readonly stages: readonly string[];
  /** Pure. */
  readonly judge: (recording: Recording) => Finding;
};

/** A client with a quota of its own. */
export type Client = {
  readonly who: string;
  /** Sends one request; resolves with what became of it, and never rejects. */
  readonly ask: (variation?: Variation) => Promise<Exchange>;
};

/** How a request differs from the declared one. */
export type Variation = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client asks as somebody else's proxy would, from that address. */
  readonly from?: string;
  /** The field the client is told apart by, written in another case. */
  readonly spelling?: (name: string) => string;
  readonly note?: string;
};

/** The store the target counts in, where it belongs to whoever plays. */
export type Store = {
  readonly name: string;
  /** It keeps its connections and answers nothing. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
};

/** What a part of the script is played with. */
export type Player = {
  readonly declared: Declared;
  readonly now: () => number;
  /** Resolves at that moment of `now`, never before. */
  readonly waitUntil: (atMs: number) => Promise<void>;
  /** A client that has used nothing of its quota; where clients are few, one that has rested for a period. */
  readonly client: () => Promise<Client>;
  /** Does the work for all items, at once where there are clients enough. */
  readonly each: <T>(items: readonly T[], work: (item: T) => Promise<void>) => Promise<void>;
  readonly means: Means;
};

/** What the target and its set-up permit. */
export type Means = {
  /** How many clients can be told apart; Infinity where they are made at will. */
  readonly clients: number;
  /** The address from which the target believes X-Forwarded-For. */
  readonly trustedProxy: string | undefined;
  readonly store: Store | undefined;
  /** Requests that a client which obeys the fields makes in all. */
  readonly obedientRequests: number;
};

/** A part of the script. */
export type Stage = {
  readonly name: string;
  /** Clients it needs at once, at least. */
  readonly clients: number;
  /** Nothing else is played meanwhile. */
  readonly isAlone?: true;
  /** Why it cannot be played; undefined when it can. */
  readonly isPrevented?: (means: Means, declared: Declared) => string | undefined;
  readonly play: (player: Player) => Promise<void>;
};

/** One matter of rate limiting: what is asked to see it, and what must hold. */
export type Matter = { readonly stages: readonly Stage[]; readonly checks: readonly Check[] };

const finding =
  (outcome: Outcome) =>
  (says: string, witnesses: readonly Exchange[] = []): Finding => ({ outcome, says, witnesses: witnesses.slice(0, maxWitnesses) });

/** More would only be more of the same. */
const maxWitnesses = 4;

export const pass = finding('PASS');
export const fail = finding('FAIL');
export const notSupported = finding('NOT SUPPORTED');
export const notChecked = finding('NOT CHECKED');
export const invalid = finding('INVALID');

/** What a target may do without, and does, unless it promises all. */
export const lacking = ({ declared }: Recording, says: string, shown: readonly Exchange[]): Finding =>
  declared.promises === 'all' ? fail(`${says}, and this target promises it`, shown) : notSupported(says);

/** INVALID, because the client was late. */
export const unproved = (says: string, witnesses: readonly Exchange[] = []): Finding => ({ ...invalid(says, witnesses), isLate: true });

/** Asks `count` times, each after the answer before. */
export async function askInTurn(client: Client, count: number, variation?: Variation): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  while (exchanges.length < count) exchanges.push(await client.ask(variation));
  return exchanges;
}

/** Asks `count` times at once. */
export const askAtOnce = (client: Client, count: number, variation?: Variation): Promise<Exchange[]> =>
  Promise.all(Array.from({ length: count }, () => client.ask(variation)));
