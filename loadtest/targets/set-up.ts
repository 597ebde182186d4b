import { orAborted } from '#lib/abort.ts';
import { AppError, messageOf, UnreachableError } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import { backoffDelayMs } from '#lib/retry.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SetUpFacts } from '../measurement/measurement.ts';
import { maxWitnesses, maxReceivedChars, type Witness } from '../measurement/witness.ts';
import { createHttpClient, type HttpAnswer, type HttpClient, type HttpRequest } from './http-client.ts';

/** The target answered, and could all the same not be made ready for a run. */
export class SetUpError extends AppError {
  readonly code = 'LOADTEST_SET_UP';
}

/** Asks again where that can help, and takes down what it met: errors while a run is prepared are errors of the target too. */
export type SetUpClient = HttpClient & { readonly facts: () => Omit<SetUpFacts, 'problem' | 'disturbed'> };

/** Half a second of errors passes, ten seconds of them is a state. */
const attempts = 6;
const backoff = { firstDelayMs: 100, maxDelayMs: 2_000 };
/** Requests under way at once. */
const connections = 16;

/** @param signal ends waiting for an answer, and asking again */
export function createSetUpClient(origin: string, signal: AbortSignal): SetUpClient {
  const http = createHttpClient(origin, connections);
  const tally = { requests: 0, failed: 0, witnesses: [] as Witness[] };
  const note = (witness: Witness): void => {
    tally.failed += 1;
    if (tally.witnesses.length < maxWitnesses) tally.witnesses.push(witness);
  };
  return {
    ...http,
    send: async (request) => {
      for (let attempt = 1; ; attempt += 1) {
        tally.requests += 1;
        const { answer, err } = await orAborted(ask(http, request), signal);
        if (answer && !isPassing(answer)) return answer;
        note(witnessOf(request, answer, err));
        if (attempt === attempts && answer) return answer;
        if (attempt === attempts) throw err;
        await sleep(backoffDelayMs(attempt, backoff, Math.random()), undefined, { signal });
      }
    },
    facts: () => ({ requests: tally.requests, failed: tally.failed, witnesses: tally.witnesses }),
  };
}

/** What may be over a moment later. */
const isPassing = ({ status }: HttpAnswer): boolean => status >= 500 || status === 429;

type Asked = { readonly answer?: HttpAnswer; readonly err?: unknown };

const ask = (http: HttpClient, request: HttpRequest): Promise<Asked> =>
  http.send(request).then(
    (answer) => ({ answer }),
    (err: unknown) => ({ err }),
  );

function witnessOf({ method, path }: HttpRequest, answer: HttpAnswer | undefined, err: unknown): Witness {
  const endpoint = `${method} ${path}`;
  if (answer === undefined) return { says: messageOf(err), about: {}, endpoint };
  const { status, text, requestId } = answer;
  const received = redactText(text.slice(0, maxReceivedChars));
  return {
    says: `answered ${status} while the run was prepared`,
    about: {},
    endpoint,
    status,
    received,
    ...(requestId !== undefined && { requestId }),
  };
}

/** Why a target could not be made ready, when that says something of the target; else undefined: then the caller's command is at fault. */
export function problemOf(err: unknown): SetUpFacts['problem'] | undefined {
  if (err instanceof SetUpError) return { says: err.message, isAnswered: true };
  return err instanceof UnreachableError ? { says: err.message, isAnswered: false } : undefined;
}
