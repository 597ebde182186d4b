import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type * as z from 'zod';
import type { Environment } from '#lib/env.ts';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { configSchema, type ConfigFile } from './config-schema.ts';

/** The file settings came from, and what tells its content from another. */
export type ConfigSource = { readonly path: string; readonly digest: string };

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Far more than anybody writes by hand. */
const longestFileBytes = 1024 * 1024;

/**
 * The file MONITOR_CONFIG names, checked. In its texts `${NAME}` is the variable of that name, `${NAME:-text}` the text
 * where it is unset or empty, and `$$` a dollar sign, as in a Compose file.
 * @throws {ConfigError} with every problem at once, each naming file and place
 */
export async function readConfigFile(
  path: string,
  env: Environment,
): Promise<{ readonly file: ConfigFile; readonly source: ConfigSource }> {
  const text = await readBounded(path);
  // Loaded only where there is a file to read: a monitor at rest keeps its memory.
  const { parseDocument } = await import('yaml');
  const unset = new Set<string>();
  let content: unknown;
  try {
    const document = parseDocument(text);
    if (document.errors.length > 0) throw new ConfigError(document.errors.map((err) => `${path}: ${firstLine(err.message)}`));
    content = document.toJS({ reviver: (_key, value: unknown) => (typeof value === 'string' ? fillIn(value, env, unset) : value) });
  } catch (err) {
    if (err instanceof ConfigError) throw err;
    // Aliases that would unfold without end, for one.
    throw new ConfigError([`${path}: ${firstLine(messageOf(err))}`], { cause: err });
  }
  const problems = [...unset].map((name) => `\${${name}} is not set, and no \${${name}:-…} says what stands for it`);
  const parsed = configSchema.safeParse(content);
  if (parsed.success && problems.length === 0) {
    return { file: parsed.data, source: { path, digest: digestOf(text) } };
  }
  throw new ConfigError([...problems, ...(parsed.error?.issues.map(describeIssue) ?? [])].map((problem) => `${path}: ${problem}`));
}

async function readBounded(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > longestFileBytes) throw new Error(`it is longer than ${longestFileBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (err) {
    throw new ConfigError([`MONITOR_CONFIG=${path} cannot be read: ${messageOf(err)}`], { cause: err });
  }
}

function fillIn(text: string, env: Environment, unset: Set<string>): string {
  return text.replaceAll(/\$\$|\$\{(\w+)(?::-([^}]*))?\}/g, (whole, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return '$';
    const value = env[name] || fallback;
    if (value === undefined) unset.add(name);
    return value ?? whole;
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('/');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;
