import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Arguments } from '#lib/command-line.ts';
import { messageOf, UsageError } from '#lib/errors.ts';
import type { ExitCode } from '#lib/exit-codes.ts';
import { parseDuration } from '#lib/show.ts';
import { playRun, type CommandContext, type MakeVerb, type Run } from '../command.ts';
import { readRun, writeRun } from '../measurement/run-folder.ts';
import { wholeNumber } from '../options.ts';
import type { RunReport } from '../report/run-report.ts';
import { guardTarget } from '../targets/target-guard.ts';
import type { Declared } from './exchange.ts';
import { parseIdentity } from './identities.ts';
import { testOwnShop } from './own-shop.ts';
import { concludeOn, conformanceReport, type Conformance } from './report.ts';
import { testTarget, type TestedTarget } from './test-target.ts';

const options = {
  target: { type: 'string' },
  'allow-host': { type: 'string' },
  path: { type: 'string' },
  limit: { type: 'string' },
  period: { type: 'string' },
  identity: { type: 'string' },
  method: { type: 'string' },
  windows: { type: 'string' },
  tokens: { type: 'string' },
  'trusted-proxy': { type: 'string' },
  obedient: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const footer = `Options:
  --target URL            an API that runs already; without it the shop itself is tested on throw-away stacks, with Redis and
                          without, with Redis frozen and killed
  --path /things          what is asked for; default /
  --limit N --period S    what it is said to keep: N requests in S seconds, for each client
  --identity ip           what it tells clients apart by: ip (default), token (Authorization: Bearer), or header:NAME
  --tokens FILE           with --identity token: valid tokens, one a line; few of them make the run longer
  --windows sliding       or fixed, where no more is promised
  --method GET            how it is asked
  --trusted-proxy ADDRESS the address of this machine from which the target believes X-Forwarded-For
  --obedient N            requests of clients that follow only the fields; default eight times the limit
  --allow-host NAMES      hosts other than this machine that may be asked, separated by commas
  --out DIR               where recording and reports go; default loadtest/reports/<time>-ratelimit
  --json                  print the result as JSON

Choose a target whose limit is small and whose period is a few seconds: a run takes about ten periods.

Exit codes: 0 PASS · 99 FAIL · 75 INVALID, the run proves nothing · 69 nothing answers at the target · 64, 78 usage, settings`;

/** `npm run loadtest -- ratelimit`. */
export const ratelimitVerb: MakeVerb = (context) => ({
  synopsis: '[--target URL --path P --limit N --period S --identity ip|token|header:NAME] [options]',
  summary: 'Holds the rate limit of any HTTP API against the standards, clause by clause, and says PASS, FAIL or INVALID.',
  options,
  footer,
  positionals: [0, 0],
  run: (args) => runRatelimit(args, context),
});

async function runRatelimit(args: Arguments, context: CommandContext): Promise<ExitCode> {
  const text = (name: keyof typeof options): string | undefined => (typeof args.flags[name] === 'string' ? args.flags[name] : undefined);
  const given = text('target') === undefined ? undefined : readTarget(text);
  return playRun(ratelimitRun(given, wholeNumber('--obedient', text('obedient'), 1, 1_000_000)), args, context);
}

/** The rate limit of one target, or of the shop on stacks of its own. */
export const ratelimitRun = (given?: TestedTarget, obedientRequests?: number): Run => ({
  name: 'ratelimit',
  play: async (dir, { env, signal, now }, progress) => {
    const test = { env, signal, obedientRequests, onStage: (name: string): void => progress.update(`ratelimit: ${name}…`) };
    test.onStage('first look');
    const results = given ? [await testTarget(given, test)] : await testOwnShop(test);
    writeRun(dir, 'ratelimit', {
      startedAt: now.toISOString(),
      targets: results.map(({ target, recordings }) => ({ target, recordings })),
    });
  },
  judge: judgeRatelimit,
});

type Recorded = { readonly startedAt: string; readonly targets: readonly Pick<Conformance, 'target' | 'recordings'>[] };

/** The verdict of what was recorded in a folder. @throws {UsageError} when that is no run of ratelimit */
export async function judgeRatelimit(dir: string): Promise<RunReport> {
  const { startedAt, targets } = readRun(dir, 'ratelimit') as Recorded;
  return conformanceReport(
    targets.map(({ target, recordings }) => concludeOn(target, recordings)),
    startedAt,
  );
}

function readTarget(text: (name: keyof typeof options) => string | undefined): TestedTarget {
  const required = (name: 'limit' | 'period'): string => {
    const value = text(name);
    if (value === undefined)
      throw new UsageError(`--${name} is missing: with --target say what it is to keep, such as --limit 100 --period 60`);
    return value;
  };
  const origin = guardTarget(
    text('target') ?? '',
    (text('allow-host') ?? '').split(',').flatMap((name) => name.trim() || []),
  );
  const path = text('path') ?? '/';
  if (!path.startsWith('/')) throw new UsageError(`--path ${path} must begin with /`);
  const windows = text('windows') ?? 'sliding';
  if (windows !== 'sliding' && windows !== 'fixed') throw new UsageError(`--windows ${windows} must be sliding or fixed`);
  const trustedProxy = text('trusted-proxy');
  if (trustedProxy !== undefined && isIP(trustedProxy) === 0) throw new UsageError(`--trusted-proxy ${trustedProxy} is no IP address`);
  const method = (text('method') ?? 'GET').toUpperCase();
  const limit = wholeNumber('--limit', required('limit'), 2, 10_000);
  const declared: Declared = {
    limit,
    periodMs: parsePeriod(required('period')),
    windows,
    identity: parseIdentity(text('identity') ?? 'ip'),
    method,
    path,
  };
  return { name: `${origin}${path}`, origin, declared, tokens: readTokens(text('tokens')), trustedProxy };
}

/** Seconds as a plain number, or a duration. */
function parsePeriod(text: string): number {
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1_000 : (parseDuration(text) ?? Number.NaN);
  if (ms >= 1_000 && ms <= 3_600_000) return ms;
  throw new UsageError(`--period ${text} must be from 1 s to 1 h, in seconds, or such as 60s`);
}

function readTokens(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => line.trim() || []);
  } catch (err) {
    throw new UsageError(`--tokens ${file} cannot be read: ${messageOf(err)}`, { cause: err });
  }
}
