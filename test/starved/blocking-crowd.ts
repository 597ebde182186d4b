import { createCrowd as createShopCrowd } from '#loadtest/scenarios/shop/crowd.ts';
import type { CreateCrowd } from '#loadtest/generate/step.ts';

const everyMs = 2_000;
const blockedMs = 500;

/** The users of the shop, in a process that does something else at times and nothing else then. */
export const createCrowd: CreateCrowd = (options) => {
  const crowd = createShopCrowd(options);
  const timer = setInterval(() => {
    const untilMs = performance.now() + blockedMs;
    while (performance.now() < untilMs);
  }, everyMs);
  return {
    ...crowd,
    close: () => {
      clearInterval(timer);
      crowd.close();
    },
  };
};
