/**
 * One thing somebody can look up: a request, an order, a product that shows what a check says. Holds no secret: what was
 * received is cut short and redacted where it is taken.
 */
export type Witness = {
  /** What it shows, in one line. */
  readonly says: string;
  /** What it is about, by name: `{ order: 17, key: 'lt-…-3-4', product: 5 }`. */
  readonly about: Readonly<Record<string, string | number>>;
  readonly endpoint?: string;
  /** Second of the run. */
  readonly second?: number;
  readonly status?: number;
  readonly requestId?: string;
  readonly latencyMs?: number;
  /** The beginning of what was received, secrets hidden. */
  readonly received?: string;
};

/** Of what was received, so much is shown. */
export const maxReceivedChars = 160;

/** More would only be more of the same. */
export const maxWitnesses = 3;

/** One line for people: `order 17, key lt-1 · total is 9.99, expected 10.00 · POST /orders, second 3, request 0a1b · {"id_key":17,…`. */
export function showWitness({ says, about, endpoint, second, status, requestId, latencyMs, received }: Witness): string {
  const subject = Object.entries(about).map(([name, value]) => `${name} ${value}`);
  const place = [
    endpoint,
    second === undefined ? undefined : `second ${second}`,
    status === undefined ? undefined : `status ${status}`,
    latencyMs === undefined ? undefined : `${Math.round(latencyMs)} ms`,
    requestId === undefined ? undefined : `request ${requestId}`,
  ].filter((part) => part !== undefined);
  return [subject.join(', '), says, place.join(', '), received].filter(Boolean).join(' · ');
}
