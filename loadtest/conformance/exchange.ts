/** What the target is said to keep. */
export type Declared = {
  /** Requests a client may make in one period. */
  readonly limit: number;
  readonly periodMs: number;
  /** `sliding`: no period, wherever it begins, holds more than the limit. `fixed`: only those the target counts in. */
  readonly windows: 'sliding' | 'fixed';
  /** What the target tells clients apart by; `header:` with the name of a request header field. */
  readonly identity: 'ip' | 'token' | `header:${string}`;
  readonly method: string;
  /** Path and query that are asked for. */
  readonly path: string;
  /** Another path that counts against the limit, and against one of its own that is larger. */
  readonly sibling?: string;
  /** `all`: fields and documents that other targets may do without are promised, so that without them it fails. */
  readonly promises?: 'all';
};

/** What a request was, as far as it can be shown: credentials never come here, only names of clients. */
export type Asked = {
  /** The part of the script it belongs to. */
  readonly stage: string;
  /** The client, by a name of ours. */
  readonly who: string;
  readonly method: string;
  readonly path: string;
  /** What was unusual in it, such as a forged field. */
  readonly note?: string | undefined;
};

export type Answer = {
  readonly status: number;
  /** Names in small letters; only fields that limits, times and problems are told in. */
  readonly fields: Readonly<Record<string, string>>;
  /** The beginning of the body of a refusal; else empty. */
  readonly body: string;
};

/**
 * One request and what became of it, in milliseconds of the client's own monotonic clock. The target counted it at some
 * moment between the two: whatever is concluded from that holds however late the client itself was.
 */
export type Exchange = Asked & {
  readonly sentMs: number;
  readonly endedMs: number;
  /** The longest the client's own event loop stood still meanwhile. */
  readonly lateMs: number;
  /** Undefined when there was none, see `failure`. */
  readonly answer?: Answer | undefined;
  readonly failure?: { readonly kind: 'timeout' | 'connection'; readonly detail: string } | undefined;
};

/** Everything that was seen. Judging needs nothing else. */
export type Recording = {
  readonly declared: Declared;
  /** Statuses that are refusals for a limit, see `refusalStatuses`. */
  readonly refusedWith: readonly number[];
  readonly exchanges: readonly Exchange[];
  /** Parts of the script that were not played, and why. */
  readonly skipped: Readonly<Record<string, string>>;
};

/** Statuses by which other limiters refuse. */
const otherRefusals: readonly number[] = [403, 420, 503, 509];

/**
 * The statuses by which a target refuses: 429, or, where that was never seen, what else limiters use and what a request
 * that nothing limits was not answered with.
 */
export function refusalStatuses(exchanges: readonly Exchange[], usualStatus: number): readonly number[] {
  const seen = new Set(exchanges.map(({ answer }) => answer?.status));
  return seen.has(429) ? [429] : otherRefusals.filter((status) => seen.has(status) && status !== usualStatus);
}

/** Whether the target refused to serve the request because of a limit. */
export const isRefused = ({ refusedWith }: Recording, { answer }: Exchange): boolean =>
  answer !== undefined && refusedWith.includes(answer.status);

/** Whether the target served it, whatever it had to say. What failed is neither allowed nor refused. */
export const isAllowed = (recording: Recording, exchange: Exchange): boolean =>
  exchange.answer !== undefined && exchange.answer.status < 500 && !isRefused(recording, exchange);

/** The exchanges of one part of the script, in the order they were sent. */
export const ofStage = ({ exchanges }: Recording, stage: string): readonly Exchange[] =>
  exchanges.filter((one) => one.stage === stage).toSorted((a, b) => a.sentMs - b.sentMs);

/** The exchanges of each client, in the order of the first of each. */
export const byClient = (exchanges: readonly Exchange[]): readonly (readonly Exchange[])[] => [
  ...Map.groupBy(exchanges, ({ who }) => who).values(),
];

/** The exchanges of each trial: of one client, under one note. */
export const byTrial = (exchanges: readonly Exchange[]): readonly (readonly Exchange[])[] => [
  ...Map.groupBy(exchanges, ({ who, note }) => `${who} ${note}`).values(),
];

/** Where a client asks this much later than it meant to, what it is answered says nothing of the moment it meant. */
export const latestMs = 100;

export const tookMs = ({ sentMs, endedMs }: Exchange): number => endedMs - sentMs;

/** A request during which the client was later than this, and than a twentieth of the time, does not say how long the target took. */
const calmMs = 5;
export const isTimed = (exchange: Exchange): boolean => exchange.lateMs < Math.max(calmMs, tookMs(exchange) / 20);

/** How long the one in the middle took; NaN for none. */
export const medianMs = (exchanges: readonly Exchange[]): number =>
  exchanges.map(tookMs).toSorted((a, b) => a - b)[Math.floor(exchanges.length / 2)] ?? Number.NaN;

/** One line for people: `1.204 s client-3 GET /products → 429 · retry-after: 2 · ratelimit: "default";r=0;t=2`. */
export function showExchange({ sentMs, who, method, path, note, answer, failure }: Exchange): string {
  const fields = Object.entries(answer?.fields ?? {})
    .filter(([name]) => name !== 'date' && name !== 'content-type')
    .map(([name, value]) => `${name}: ${value}`);
  const what = answer === undefined ? `${failure?.kind ?? 'nothing'}: ${failure?.detail ?? ''}` : String(answer.status);
  const head = `${(sentMs / 1_000).toFixed(3)} s ${who} ${method} ${path}${note === undefined ? '' : ` (${note})`} → ${what}`;
  return [head, ...fields].join(' · ');
}
