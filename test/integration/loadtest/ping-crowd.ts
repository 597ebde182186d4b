import type { CreateCrowd } from '#loadtest/generate/step.ts';

/**
 * Users who ask for one path again and again, default `/`, and write down how often, and who they were, when all is over; with
 * `noteLength` at such length.
 */
export const createCrowd: CreateCrowd = ({ facts, record }) => {
  const { pong, path = '/', noteLength = 0 } = facts as { pong: string; path?: string; noteLength?: number };
  let pings = 0;
  const users: number[] = [];
  return {
    user: (index) => {
      users.push(index);
      return {
        next: () => ({ endpoint: 'GET /', method: 'GET', path, headers: {} }),
        answered: ({ endpoint }, { body }) => {
          pings += 1;
          return body === pong ? { outcome: 'ok' } : { outcome: 'wrong-answer', fault: `no pong at ${endpoint}` };
        },
        unanswered: () => {},
      };
    },
    close: () => record({ pings, users, ...(noteLength > 0 && { note: 'x'.repeat(noteLength) }) }),
  };
};
