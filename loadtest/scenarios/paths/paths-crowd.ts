import { createRandom, pick } from '../../generate/random.ts';
import type { CreateCrowd } from '../../generate/step.ts';

/** Users who ask for one of the paths, whichever chance says, again and again. */
export const createCrowd: CreateCrowd = ({ seed, facts }) => {
  const { paths } = facts as { paths: readonly string[] };
  return {
    user: (index) => {
      const random = createRandom(seed, 2 * index);
      return {
        next: () => {
          const path = pick(random, paths);
          return { endpoint: `GET ${path}`, method: 'GET', path, headers: {} };
        },
        answered: (_step, { status }) => {
          if (status < 400) return { outcome: 'ok' };
          return { outcome: status === 429 ? 'limited' : 'http-error', fault: `status ${status}` };
        },
        unanswered: () => {},
      };
    },
    close: () => {},
  };
};
