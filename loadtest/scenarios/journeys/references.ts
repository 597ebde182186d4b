import { nearestWord } from '#lib/misspelt.ts';
import type { Journey, JourneyStep } from './file-schema.ts';
import { builtIn, slotsIn, type Json } from './slots.ts';

/** Something wrong in a file and where, as the way to it from the top. */
export type Problem = { readonly path: readonly PropertyKey[]; readonly message: string };

/** What reports call a step. */
export const endpointOf = ({ name, request: { method, path } }: Pick<JourneyStep, 'name' | 'request'>): string =>
  name ?? `${method} ${path.split('?')[0]?.replaceAll(/\{\{\s*\$?([^{}]*?)\s*\}\}/g, ':$1')}`;

/**
 * Slots of a journey that nothing fills: no earlier step, no column of its feeder. Pure.
 * @param columns of each feeder that could be read, by its name
 * @param feeders names of all of them
 */
export function unfilledSlots(
  name: string,
  { feed, steps }: Journey,
  feeders: readonly string[],
  columns: ReadonlyMap<string, readonly string[]>,
): Problem[] {
  if (feed !== undefined && !feeders.includes(feed)) {
    const message = `there is no feeder "${feed}"${meant(feed, feeders)}`;
    return [{ path: ['journeys', name, 'feed'], message }];
  }
  const fed = feed === undefined ? [] : columns.get(feed);
  // The feeder itself could not be read, and was named for it.
  if (fed === undefined) return [];
  const known: string[] = [...builtIn, ...fed];
  return steps.flatMap((step, index) => {
    const problems = slotsOf(step).flatMap(({ place, slot }): Problem[] => {
      if (known.includes(slot)) return [];
      const own = place === 'expect' && slot in step.capture ? '; what a step captures is there from the next one on' : meant(slot, known);
      return [{ path: ['journeys', name, 'steps', index, place], message: `{{${slot}}} is filled by no earlier step and no feeder${own}` }];
    });
    known.push(...Object.keys(step.capture));
    return problems;
  });
}

const meant = (word: string, known: readonly string[]): string => {
  const nearest = nearestWord(word, known);
  if (nearest !== undefined) return `; did you mean ${nearest}?`;
  return known.length === 0 ? '' : `; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
};

function slotsOf({ request, query, headers, body, expect }: JourneyStep): { place: string; slot: string }[] {
  const wanted = [...Object.values(expect.json), ...Object.values(expect.headers)].map(({ equals }) => equals ?? null);
  const texts: Record<string, Json> = { request: request.path, query, headers, body: body ?? null, expect: wanted };
  return Object.entries(texts).flatMap(([place, text]) => [...new Set(slotsIn(text))].map((slot) => ({ place, slot })));
}

/** Endpoints with limits of their own that no step is called by. Pure. */
export function unknownEndpoints(named: readonly string[], steps: readonly JourneyStep[]): Problem[] {
  const endpoints = steps.map(endpointOf);
  return named
    .filter((name) => !endpoints.includes(name))
    .map((name) => ({ path: ['limits', 'endpoints', name], message: `no step is called "${name}"${meant(name, endpoints)}` }));
}
