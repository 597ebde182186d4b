import { UsageError } from '#lib/errors.ts';
import { parseDuration } from '#lib/show.ts';
import type { Arguments } from '#lib/command-line.ts';
import type { PlanChanges } from './plans/phase-of.ts';

export type LoadtestOptions = {
  readonly changes: PlanChanges;
  readonly target: string | undefined;
  readonly allowedHosts: readonly string[];
  /** Undefined: loadtest/reports/<time>-<plan>. */
  readonly outDir: string | undefined;
  /** An earlier result to look at beside this one. */
  readonly baseline: string | undefined;
  /** Of the page that shows the run while it is played; 0 for a free one, undefined for no page. */
  readonly watchPort: number | undefined;
  readonly json: boolean;
};

/** Flags as `node:util` parseArgs takes them. */
export const flags = {
  target: { type: 'string' },
  'allow-host': { type: 'string' },
  duration: { type: 'string' },
  users: { type: 'string' },
  think: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  baseline: { type: 'string' },
  watch: { type: 'boolean' },
  json: { type: 'boolean' },
  mix: { type: 'string' },
} as const;

/** Disturbances by their names, each with the one line --help says of it. */
export type Mixes = Readonly<Record<string, string>>;

/** What --help says of the flags and exit codes. */
export const optionsHelp = (mixes: Mixes): string => `Options:
  --target URL        test a service that runs already; without it a throw-away stack is started and stopped
  --allow-host NAMES  hosts other than this machine that load may be sent to, separated by commas
  --duration 30s      how long is measured, after warm-up (ms, s, m)
  --users 400         how many users at once
  --think 1s-3s       least and most pause between a user's requests; 0: none
  --rate 200          requests a second, arriving at random whatever the answers; 50-200: rising
${Object.entries(mixes)
  .map(([name, summary]) => `  ${`--mix ${name}`.padEnd(19)} ${summary}; only with a stack of its own\n`)
  .join('')}  --seed N            the same seed makes the same requests
  --out DIR           where measurement and reports go; default loadtest/reports/<time>-<plan>
  --baseline PATH     a report.json, or its folder: shows what changed since; changes no verdict
  --watch [PORT]      a page on this machine that shows the run while it is played; without PORT on a free one
  --json              print the result as JSON

Exit codes: 0 PASS · 99 FAIL · 75 INVALID, the run proves nothing · 69 nothing answers at the target · 64, 78 usage, settings`;

/**
 * Reads the flags.
 * @param mixes what can be mixed in
 * @param randomSeed used where no --seed is given; it stands in the report
 * @throws {UsageError} naming flag, value and what is allowed.
 */
export function readOptions({ flags: given, positionals }: Arguments, mixes: Mixes, randomSeed: number): LoadtestOptions {
  // What is no flag can only be the port after --watch, which may stand there or not.
  const [port] = positionals;
  if (port !== undefined && given['watch'] !== true) throw new UsageError(`there is no plan "${port}"; see npm run loadtest -- --help`);
  const text = (name: keyof typeof flags): string | undefined => {
    const value = given[name];
    return typeof value === 'string' ? value : undefined;
  };
  const mix = list(text('mix'));
  for (const name of mix) {
    if (!Object.hasOwn(mixes, name)) throw new UsageError(`--mix ${name} is unknown; known: ${Object.keys(mixes).join(', ') || 'none'}`);
  }
  if (mix.length > 0 && text('target') !== undefined) {
    throw new UsageError(
      `--mix ${mix.join(',')} changes the database it is used on, so it works only on a stack of its own: leave --target out`,
    );
  }
  const duration = text('duration');
  return {
    changes: {
      users: wholeNumber('--users', text('users'), 1, 10_000),
      thinkMs: parseThink(text('think')),
      rate: parseRate(text('rate'), text('think')),
      durationMs: duration === undefined ? undefined : within('--duration', duration, 1_000, 86_400_000),
      seed: wholeNumber('--seed', text('seed'), 0, 4_294_967_295) ?? randomSeed,
      mix,
    },
    target: text('target'),
    allowedHosts: list(text('allow-host')),
    outDir: text('out'),
    baseline: text('baseline'),
    watchPort: given['watch'] === true ? (wholeNumber('--watch', port, 1, 65_535) ?? 0) : undefined,
    json: given['json'] === true,
  };
}

/** What --path says, of a service that is no shop. @throws {UsageError} naming what is no path */
export function parsePaths(text: string): [string, ...string[]] {
  const [first = '', ...others] = text.split(',');
  if ([first, ...others].every((path) => /^\/[^\s#]*$/.test(path))) return [first, ...others];
  throw new UsageError(`--path ${text} must be paths such as /products,/health`);
}

const list = (text: string | undefined): string[] => (text ?? '').split(',').flatMap((item) => item.trim() || []);

/** What a flag says as a whole number; undefined when it was not given. @throws {UsageError} naming the flag and what it may be */
export function wholeNumber(flag: string, text: string, least: number, most: number): number;
export function wholeNumber(flag: string, text: string | undefined, least: number, most: number): number | undefined;
export function wholeNumber(flag: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${flag} ${text} must be a whole number from ${least} to ${most}`);
}

function within(flag: string, text: string, least: number, most: number): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= least && ms <= most) return ms;
  throw new UsageError(`${flag} ${text} must be a duration from ${least / 1_000}s to ${most / 3_600_000}h, such as 30s`);
}

function parseThink(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const [least, most = least, ...more] = text.split('-').map(parseDuration);
  const isRange = least !== undefined && most !== undefined && more.length === 0 && least <= most && most <= 600_000;
  if (isRange && (most === 0 || most >= 10)) return [least, most];
  throw new UsageError(`--think ${text} must be a range of pauses such as 1s-3s, one pause such as 500ms, or 0`);
}

const maxRate = 10_000;

function parseRate(text: string | undefined, think: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  if (think !== undefined) throw new UsageError(`--rate ${text} and --think exclude each other: where a rate is given, nobody pauses`);
  const [from = Number.NaN, to = from, ...more] = text.split('-').map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const isRate = (rate: number): boolean => rate > 0 && rate <= maxRate;
  if (isRate(from) && isRate(to) && more.length === 0) return [from, to];
  throw new UsageError(`--rate ${text} must be requests a second above 0 and up to ${maxRate}, such as 200, or two such as 50-200`);
}
