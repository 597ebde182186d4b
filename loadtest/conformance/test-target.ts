import { randomInt } from 'node:crypto';
import { UnreachableError, UsageError } from '#lib/errors.ts';
import type { Declared, Recording } from './exchange.ts';
import { createHttpPort, type HttpPort } from './http-port.ts';
import { createIdentities } from './identities.ts';
import type { Means, Store } from './matter.ts';
import { concludeOn, type Conformance } from './report.ts';
import { judgeTries, partsToRepeat, playSuite } from './suite.ts';

export type TestedTarget = {
  /** What reports call it. */
  readonly name: string;
  /** As passed by the target guard. */
  readonly origin: string;
  readonly declared: Declared;
  /** Valid credentials, where clients are told apart by tokens. */
  readonly tokens?: readonly string[];
  readonly trustedProxy?: string | undefined;
  /** Only one that was started for the test. */
  readonly store?: Store;
};

export type TestOptions = {
  readonly signal: AbortSignal;
  readonly onStage: (name: string) => void;
  /** Default: eight times the limit. */
  readonly obedientRequests?: number | undefined;
};

/** How often parts are played again in which the client was late. */
const repeats = 2;
const restMs = 200;

/**
 * Plays everything against one target and judges it.
 * @throws {UnreachableError} when it does not answer
 * @throws {UsageError} when what is asked for is not served, so that there is nothing to be refused
 */
export async function testTarget(target: TestedTarget, { signal, onStage, obedientRequests }: TestOptions): Promise<Conformance> {
  const { name, origin, declared, tokens = [], trustedProxy, store } = target;
  const host = new URL(origin).hostname;
  const identities = createIdentities({ identity: declared.identity, host, tokens, run: randomInt(2 ** 16), platform: process.platform });
  const port = createHttpPort(origin, declared, identities, signal);
  const means: Means = { clients: identities.count, trustedProxy, store, obedientRequests: obedientRequests ?? 8 * declared.limit };
  try {
    await assertServes(port, target);
    const recordings: [Recording, ...Recording[]] = [await playSuite({ declared, means, port, onStage })];
    for (let repeated = 0; repeated < repeats; repeated += 1) {
      const only = partsToRepeat(judgeTries(recordings));
      if (only.size === 0) break;
      // So that all clients have their whole quota again.
      await port.waitUntil(port.now() + declared.periodMs + restMs);
      recordings.push(await playSuite({ declared, means, port, onStage, only }));
    }
    signal.throwIfAborted();
    return concludeOn(name, recordings);
  } finally {
    await port.close();
  }
}

async function assertServes(port: HttpPort, { origin, declared: { method, path, periodMs } }: TestedTarget): Promise<void> {
  let { answer, failure } = await port.send(0, {});
  if (answer?.status === 429) {
    // Somebody may have used it up a moment ago, such as whoever registered the customers to test with.
    await port.waitUntil(port.now() + periodMs + restMs);
    ({ answer, failure } = await port.send(0, {}));
  }
  if (answer === undefined) throw new UnreachableError(`nothing answers at ${origin}: ${failure?.detail ?? ''}`);
  if (answer.status < 400) return;
  throw new UsageError(
    answer.status === 429
      ? `${origin} refuses ${method} ${path} from the start (429), a whole period later too; leave it alone until its limit is free again`
      : `${origin} answers ${method} ${path} with ${answer.status}; name a path, a method and credentials that are served`,
  );
}
