import { orAborted } from '#lib/abort.ts';
import { messageOf } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import type { Fact } from '../model/look.ts';
import { mapTexts } from '../words/sentence.ts';

/** What stands around an incident at its beginning: facts for people, and signs that rules may conclude from. */
export type Shown = { readonly facts: readonly Fact[]; readonly signs?: Signs };

/** Undefined: nobody saw it, which says nothing. */
export type Signs = {
  /** The lock that most wait for. Times in ms. */
  readonly lock?:
    | { readonly pid: number; readonly application: string; readonly state: string; readonly heldMs: number; readonly waiting: number }
    | undefined;
  /** Connections of the pools of all APIs. */
  readonly pool?: { readonly inUse: number; readonly most: number; readonly waiting: number } | undefined;
  /** When the API that was started last was, in ms of the epoch. */
  readonly startedAt?: number | undefined;
  /** How many answers a load test is given in the moment of the look. */
  readonly loadTestAnswers?: number | undefined;
};

/** A place where something can be found out by reading alone; what it opens it closes when the signal fires. */
export type Source = { readonly name: string; readonly look: (signal: AbortSignal) => Promise<Shown> };

/** A message waits for no more than this. */
export const longestMs = 2_000;
const mostFacts = 24;
const longestValue = 240;

/** What all sources show within the time; what is missing is named as such. Never rejects, never takes longer, and holds no secret. */
export async function gather(sources: readonly Source[], limitMs = longestMs): Promise<Shown> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`nothing came within ${limitMs / 1_000} s`)), limitMs);
  const shown = await Promise.all(sources.map((source) => lookAt(source, limit.signal)));
  clearTimeout(timer);
  limit.abort();
  return {
    facts: shown
      .flatMap(({ facts }) => facts)
      .slice(0, mostFacts)
      .map(([label, value]) => [label, mapTexts(value, (text) => shorten(redactText(text.slice(0, 4 * longestValue))))]),
    signs: Object.assign({}, ...shown.map(({ signs }) => signs)) as Signs,
  };
}

async function lookAt({ name, look }: Source, signal: AbortSignal): Promise<Shown> {
  try {
    return await orAborted(look(signal), signal);
  } catch (err) {
    return { facts: [['Not seen', `${name}: ${messageOf(err)}`]] };
  }
}

const shorten = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > longestValue ? `${line.slice(0, longestValue - 1)}…` : line;
};
