import type { Crowd, CrowdOptions, Step } from '#loadtest/generate/step.ts';
import type { RouteRequest } from './record-routes.ts';
import { requestHeader } from './replay.ts';

/**
 * Users who each send one request of their own again and again, in their own name; what is written once under a new key each time, which
 * no other route has: it would be refused as another request of the same key.
 */

export type RouteUser = {
  readonly accessToken: string;
  /** Its request of each route, with its number among those recorded. */
  readonly requests: Readonly<Record<string, RouteRequest & { readonly number: number }>>;
};

export function createCrowd({ script, facts }: CrowdOptions): Crowd {
  return {
    user: (index, given) => {
      const { accessToken, requests } = given as RouteUser;
      const asked = requests[script];
      if (!asked) throw new RangeError(`nobody asks for ${script}`);
      const { method, path, body, number } = asked;
      const headers = {
        authorization: `Bearer ${accessToken}`,
        [requestHeader]: `${number}`,
        ...(body && { 'content-type': 'application/json' }),
      };
      const step: Step = { endpoint: script, method, path: `/api/v1${path}`, headers, ...(body && { body: JSON.stringify(body) }) };
      const key = `${String(facts)}-${script.replace(' ', '')}-${index}`;
      let count = 0;
      return {
        next: () => (method === 'POST' ? { ...step, headers: { ...headers, 'idempotency-key': `${key}-${(count += 1)}` } } : step),
        answered: (_step, { status }) => ({ outcome: status < 300 ? 'ok' : status === 429 ? 'limited' : 'http-error' }),
        unanswered: () => {},
      };
    },
    close: () => {},
  };
}
