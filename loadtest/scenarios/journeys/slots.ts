/** Plain data, as JSON and YAML know it. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** What slots are filled with, by name. */
export type Values = ReadonlyMap<string, Json>;

/** Slots that are always there: the number of the user, what differs in every pass of a journey, and what names the run. */
export const builtIn = ['$user', '$pass', '$run'] as const;

const slot = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Names of the slots in all texts of a value, in order. */
export function slotsIn(value: Json): string[] {
  if (typeof value === 'string') return [...value.matchAll(slot)].map(([, name = '']) => name);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(slotsIn);
}

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** A text with its slots filled. @param encode what is put into them, such as for a path */
export const fillText = (text: string, values: Values, encode: (value: string) => string = String): string =>
  text.replaceAll(slot, (_whole, name: string) => encode(textOf(values.get(name))));

/** A value with the slots of its texts filled; a text that is one slot and no more becomes what is put into it, of its own type. */
export function fillJson(value: Json, values: Values): Json {
  if (typeof value === 'string') {
    const [only, ...others] = slotsIn(value);
    const isAlone = only !== undefined && others.length === 0 && /^\{\{[^{}]*\}\}$/.test(value);
    return isAlone ? (values.get(only) ?? null) : fillText(value, values);
  }
  if (Array.isArray(value)) return value.map((item) => fillJson(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillJson(item, values)]));
}

/** What stands at a JSON pointer (RFC 6901); undefined where nothing does. */
export function atPointer(json: Json | undefined, pointer: string): Json | undefined {
  let at = json;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(name) ? at[Number(name)] : undefined;
    else at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}
