import { once } from 'node:events';
import { createServer } from 'node:http';
import { listenOnFreePort } from '#lib/listen.ts';
import { createRandom } from '#loadtest/generate/random.ts';

/** A service whose latency is known. */
export type SeededService = {
  /** Median of its latency; the logarithm is normal with a standard deviation of 0.4. */
  readonly medianMs: number;
  readonly seed: number;
  /** Every how manyth answer is a 500; none when undefined. */
  readonly failsEvery?: number;
};

/** Serves it on a free port of this machine. */
export async function startSeededServer({
  medianMs,
  seed,
  failsEvery,
}: SeededService): Promise<{ origin: string; close: () => Promise<void> }> {
  const random = createRandom(seed, 1);
  let answers = 0;
  const server = createServer((_request, response) => {
    const deviate = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    answers += 1;
    response.statusCode = failsEvery !== undefined && answers % failsEvery === 0 ? 500 : 200;
    setTimeout(() => response.end('[]'), medianMs * Math.exp(0.4 * deviate));
  });
  return {
    origin: await listenOnFreePort(server),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
