import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type * as z from 'zod';
import type { Environment } from '#lib/env.ts';
import { messageOf } from '#lib/errors.ts';
import { journeysSchema, parts, type Feeder, type Journey, type Journeys } from './file-schema.ts';
import type { Problem } from './references.ts';
import { spellOut } from './spell-out.ts';

export type Parsed = {
  /** Undefined where something is wrong with it. */
  readonly file: Journeys | undefined;
  /** The parts that are right by themselves, whatever the others are. */
  readonly journeys: ReadonlyMap<string, Journey>;
  readonly feeders: ReadonlyMap<string, Feeder>;
  /** Values of variables that were put in: never to be shown. */
  readonly secrets: readonly string[];
  readonly problems: readonly Problem[];
  /** The line, from 1, that a problem is in. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
};

/** Reads the text of a file of journeys as far as that goes without other files. Pure: every problem is returned, none thrown. */
export function parseFile(text: string, env: Environment): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineOf = (path: readonly PropertyKey[]): number => lines.linePos(offsetOf(document, path)).line;
  const nothing = { file: undefined, journeys: new Map(), feeders: new Map(), secrets: [] };
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message }) => ({ path: [], message: firstLine(message) }));
    return { ...nothing, problems, lineOf: () => lines.linePos(document.errors[0]?.pos[0] ?? 0).line };
  }
  try {
    const { content, problems, secrets } = fillIn(document.toJS() as unknown, env);
    const spelled = spellOut(content);
    const parsed = journeysSchema.safeParse(spelled);
    const issues = parsed.error?.issues.map((issue) => ({ path: pathOf(issue), message: messageIn(issue) })) ?? [];
    return {
      file: parsed.data,
      journeys: rightOnes<Journey>(spelled, 'journeys', parts.journey),
      feeders: rightOnes<Feeder>(spelled, 'feeders', parts.feeder),
      secrets: [...secrets],
      problems: [...problems, ...issues],
      lineOf,
    };
  } catch (err) {
    // Aliases that would unfold without end, for one.
    return { ...nothing, problems: [{ path: [], message: firstLine(messageOf(err)) }], lineOf };
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;

/** Of a name that may not stand there: why. */
const messageIn = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;

/** Down to the misspelt field itself, so that its own line is shown. */
const pathOf = (issue: z.core.$ZodIssue): PropertyKey[] => [
  ...issue.path,
  ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []),
];

function rightOnes<T>(file: unknown, field: 'journeys' | 'feeders', schema: z.ZodType<T>): Map<string, T> {
  const members = Object(Object(file)[field]) as Record<string, unknown>;
  return new Map(
    Object.entries(members).flatMap(([name, member]): [string, T][] => {
      const { data } = schema.safeParse(member);
      return data === undefined ? [] : [[name, data]];
    }),
  );
}

/** Where in the text the thing at a path stands, or what it would stand in. Steps of the path that short forms leave out are passed over. */
function offsetOf({ contents }: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = contents;
  let offset = contents?.range[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) continue;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (typeof part === 'number') {
      const item = (node as { items?: readonly { range?: readonly number[] }[] } | null)?.items?.[part];
      if (item === undefined) continue;
      offset = item.range?.[0] ?? offset;
      node = item;
    }
  }
  return offset;
}

type FilledIn = { readonly content: unknown; readonly problems: readonly Problem[]; readonly secrets: ReadonlySet<string> };

/** `${NAME}` is put in where header fields and bodies of requests are; elsewhere it would end up in reports. */
function fillIn(file: unknown, env: Environment): FilledIn {
  const problems: Problem[] = [];
  const secrets = new Set<string>();
  const put = (text: string, path: readonly PropertyKey[]): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => {
      const isHidden = (path.includes('headers') || path.includes('body')) && !path.includes('expect');
      const value = env[name];
      if (!isHidden) problems.push({ path, message: `${whole} would stand in reports; variables belong into headers and bodies` });
      else if (!value) problems.push({ path, message: `${whole} is not set` });
      else secrets.add(value);
      return value ?? whole;
    });
  const walk = (value: unknown, path: readonly PropertyKey[]): unknown => {
    if (typeof value === 'string') return put(value, path);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, [...path, name])]));
  };
  return { content: walk(file, []), problems, secrets };
}
