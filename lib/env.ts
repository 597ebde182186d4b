import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ConfigError, messageOf } from './errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variable names of older guides and what they are called here. Reading one through the old name warns once. */
export type RenamedVariables = Readonly<Record<string, string>>;

type ReadEnvOptions = {
  /** Old name → new name. */
  readonly renamed?: RenamedVariables;
  readonly warn?: (message: string) => void;
};

/** Marks a variable whose value must never be shown. */
export const secret = <T extends z.ZodType>(schema: T): T => schema.meta({ ...schema.meta(), secret: true });

/** An integer variable within bounds, both included. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be a whole number from ${min} to ${max}`).max(max, `must be a whole number from ${min} to ${max}`));

/** A boolean variable: true/false, 1/0, yes/no, on/off, in any case. */
export const flag = () =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], 'must be true or false'))
    .transform((text) => ['true', '1', 'yes', 'on'].includes(text));

/** A list variable, separated by commas; spaces around an item are ignored and empty items left out. */
export const list = () =>
  z.string().transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

/**
 * Reads the variables a schema names, and no others. An empty value counts as unset. `X_FILE` names a file that holds
 * `X` (a trailing newline is dropped); both set is an error.
 * @throws {ConfigError} with every problem at once: variable, value (secrets hidden) and what is allowed.
 */
export function readEnv<S extends z.ZodRawShape>(
  shape: S,
  env: Environment,
  options: ReadEnvOptions = {},
): Readonly<z.output<z.ZodObject<S>>> {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const oldNames = new Map(Object.entries(options.renamed ?? {}).map(([old, current]) => [current, old]));
  for (const name of Object.keys(shape)) {
    try {
      const value = rawValue(name, oldNames.get(name), env, options.warn);
      if (value !== undefined) values[name] = value;
    } catch (err) {
      problems.push(messageOf(err));
    }
  }
  const parsed = z.object(shape).safeParse(values);
  if (parsed.success && problems.length === 0) return Object.freeze(parsed.data);
  for (const issue of parsed.error?.issues ?? []) problems.push(describeIssue(issue, shape, values));
  throw new ConfigError([...new Set(problems)]);
}

function rawValue(
  name: string,
  oldName: string | undefined,
  env: Environment,
  warn: ((message: string) => void) | undefined,
): string | undefined {
  const direct = valueOrFile(name, env);
  if (direct !== undefined || oldName === undefined) return direct;
  const old = valueOrFile(oldName, env);
  if (old !== undefined) warn?.(`${oldName} is read as ${name}; please rename it`);
  return old;
}

function valueOrFile(name: string, env: Environment): string | undefined {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new ConfigError([`${name} and ${name}_FILE are both set; keep one`]);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (err) {
    throw new ConfigError([`${name}_FILE=${file} cannot be read: ${messageOf(err)}`], { cause: err });
  }
}

function describeIssue(issue: z.core.$ZodIssue, shape: z.ZodRawShape, values: Record<string, string>): string {
  const name = String(issue.path[0] ?? '');
  const value = values[name];
  if (value === undefined) return name === '' ? issue.message : `${name} is not set; ${requirementOf(issue)}`;
  return `${name}=${isSecret(shape[name]) ? '(hidden)' : value}: ${requirementOf(issue)}`;
}

function requirementOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'it is required';
  return issue.message;
}

function isSecret(schema: unknown): boolean {
  let current = schema as z.ZodType | undefined;
  while (current) {
    if (current.meta?.()?.['secret'] === true) return true;
    const def = current.def as { innerType?: z.ZodType; in?: z.ZodType };
    current = def.innerType ?? def.in;
  }
  return false;
}

/** A copy of settings fit for showing: values of secret variables become "(hidden)", unset ones null. */
export function withoutSecrets(shape: z.ZodRawShape, settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = Object.keys(shape).map((name) => {
    const value = settings[name];
    if (value === undefined) return [name, null];
    return [name, isSecret(shape[name]) ? '(hidden)' : value];
  });
  return Object.fromEntries(shown) as Record<string, unknown>;
}
