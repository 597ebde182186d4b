import { UsageError } from '#lib/errors.ts';
import type { Arguments } from '#lib/command-line.ts';
import { maxPairs } from '../judge/sign-flip.ts';
import type { Asked } from '../judge/comparison.ts';
import { flags as loadFlags, parsePaths, readOptions } from '../options.ts';
import type { PlanChanges } from '../plans/phase-of.ts';
import { assertComparable, parseSide, type Side } from './sides.ts';

/** Flags as `node:util` parseArgs takes them. */
export const compareFlags = {
  a: { type: 'string' },
  b: { type: 'string' },
  path: { type: 'string' },
  rounds: { type: 'string' },
  effect: { type: 'string' },
  calibrate: { type: 'boolean' },
  from: { type: 'string' },
  'allow-host': loadFlags['allow-host'],
  duration: loadFlags.duration,
  users: loadFlags.users,
  think: loadFlags.think,
  rate: loadFlags.rate,
  seed: loadFlags.seed,
  out: loadFlags.out,
  json: loadFlags.json,
} as const;

export const compareHelp = `What is compared; A is what B must not be worse than:
  --a URL --b URL               two services that run
  --a DB_POOL_SIZE=5 --b DB_POOL_SIZE=20   two throw-away stacks of this source with other settings (NAME=value,NAME=value)
  --a main --b .                two git refs; . is this source as it is

Options:
  --effect 10%        the difference that must be told; where these rounds cannot tell it, the result is INVALID
  --rounds 24         pairs of windows; even, up to ${maxPairs}
  --duration 7s       how long each window is measured, after 2 s of warm-up
  --calibrate         first A beside itself, then A beside itself made slower by the effect: prints how often this machine makes
                      a false alarm and the least difference it can tell, and compares nothing where that is not enough
  --path /a,/b        of services that are no shop: the paths that are read; anything but 2xx is wrong
  --users 60 --think 100ms-300ms --rate N --allow-host NAMES --seed N --out DIR --json   as of a plan
  --from DIR          judge the comparison in that folder again

Exit codes: 0 PASS · 99 FAIL, B is worse · 75 INVALID, these rounds cannot tell · 69 nothing answers · 64, 78 usage, settings`;

export type CompareOptions = {
  readonly a: Side;
  readonly b: Side;
  /** Undefined: the shop. */
  readonly paths: readonly string[] | undefined;
  readonly rounds: number;
  readonly asked: Asked;
  readonly isCalibrated: boolean;
  readonly changes: PlanChanges;
  readonly outDir: string | undefined;
  readonly json: boolean;
};

const alpha = 0.01;
const usualGate = 0.05;

/** @throws {UsageError} naming flag, value and what is allowed. */
export function readCompareOptions(args: Arguments, randomSeed: number): CompareOptions {
  const given = (name: 'a' | 'b' | 'path' | 'rounds' | 'effect'): string | undefined => {
    const value = args.flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  const { changes, allowedHosts, outDir, json } = readOptions(args, {}, randomSeed);
  const [a, b] = [given('a'), given('b')];
  if (a === undefined || b === undefined)
    throw new UsageError('compare: --a and --b say what is compared; see npm run loadtest -- compare --help');
  const sides = { a: parseSide('--a', a, allowedHosts), b: parseSide('--b', b, allowedHosts) };
  assertComparable(sides.a, sides.b);
  const path = given('path');
  const effect = parseEffect(given('effect') ?? '10%');
  return {
    ...sides,
    paths: path === undefined ? undefined : parsePaths(path),
    rounds: parseRounds(given('rounds') ?? '24'),
    asked: { alpha, gate: Math.min(usualGate, effect / 2), effect },
    isCalibrated: args.flags['calibrate'] === true,
    changes,
    outDir,
    json,
  };
}

function parseRounds(text: string): number {
  const rounds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (rounds >= 2 && rounds <= maxPairs && rounds % 2 === 0) return rounds;
  throw new UsageError(`--rounds ${text} must be an even number from 2 to ${maxPairs}`);
}

function parseEffect(text: string): number {
  const share = /^\d+(\.\d+)?\s*%$/.test(text) ? Number.parseFloat(text) / 100 : Number.NaN;
  if (share >= 0.01 && share <= 10) return share;
  throw new UsageError(`--effect ${text} must be a percentage from 1% to 1000%, such as 10%`);
}
